package main

import (
	"testing"

	"digestlists/internal/scripttest"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"setup_ima_digest_lists": main})
}

func TestScripts(t *testing.T) { scripttest.Run(t, "testdata/script", "../test/inputs") }
