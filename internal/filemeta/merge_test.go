package filemeta_test

import (
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"testing"

	"digestlists/compact"
	"digestlists/internal/evm"
	"digestlists/internal/filemeta"
	"digestlists/internal/hosttest"
	"digestlists/internal/imasig"
)

// Of lists that speak of different contents, the one counts that has the file's.
func TestSeveralLists(t *testing.T) {
	other := listed()
	other.List, other.Digest, other.Mode = "other", make([]byte, 32), 0o100600
	root := tree(t, "")
	got := run(t, filemeta.Runner{Repair: true}, root, tool(other, listed()))
	if got.Status != filemeta.Repaired || got.List != "list" || stat(t, root) != "0755 0:0\n" {
		t.Errorf("%+v, %s", got, stat(t, root))
	}
	another := other
	another.List, another.Digest = "another", append(make([]byte, 31), 1)
	if got := run(t, filemeta.Runner{}, root, tool(other, another)); got.Status != filemeta.Changed {
		t.Errorf("in no list: %+v", got)
	}
}

// Of lists that contradict each other, one counts that the file agrees with, or the first:
// what was repaired once is good.
func TestContradictingLists(t *testing.T) {
	second := listed()
	second.List, second.Mode = "second", 0o100700
	second.Attrs = []filemeta.Attr{{Name: evm.AttributeName, Value: []byte("x")}}
	root := tree(t, "chmod 0600 usr/bin/tool")
	file := tool(listed(), second)
	got := run(t, filemeta.Runner{Repair: true}, root, file)
	if got.Status != filemeta.Repaired || got.List != "list" || stat(t, root) != "0755 0:0\n" || attr(t, root, evm.AttributeName) != "78" {
		t.Errorf("%+v, %s, %s", got, stat(t, root), attr(t, root, evm.AttributeName))
	}
	for _, runner := range []filemeta.Runner{{}, {Repair: true}} {
		if got := run(t, runner, root, file); got.Status != filemeta.Good {
			t.Errorf("again: %+v", got)
		}
	}
	hosttest.Shell(t, root, "chmod 0700 usr/bin/tool; setfattr -x security.ima usr/bin/tool")
	if got := run(t, filemeta.Runner{}, root, file); got.Status != filemeta.Different || len(got.Differences) != 1 || got.List != "second" {
		t.Errorf("of the second one's mode, without the attribute of the first: %+v", got)
	}
}

// security.evm is set for the one of several lists that has the digest of the metadata.
func TestMetadataDigestInTheSecondList(t *testing.T) {
	wants := []filemeta.Want{listed(), listed()}
	for i, mode := range []uint16{0o100600, 0o100755} {
		m := evm.Metadata{Mode: mode, IMA: wants[i].Attrs[0].Value}
		digest, err := m.Digest(compact.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		wants[i] = filemeta.Want{
			Algorithm: compact.SHA256, Digest: wants[i].Digest, MetaDigest: digest,
			Attrs: []filemeta.Attr{{Name: evm.AttributeName, Value: evm.ListedValue(compact.SHA256), Content: true}},
		}
	}
	root := tree(t, "")
	hosttest.Shell(t, root, fmt.Sprintf("setfattr -n security.ima -v 0x%x usr/bin/tool", listed().Attrs[0].Value))
	if got := run(t, filemeta.Runner{Repair: true}, root, tool(wants...)); got.Status != filemeta.Repaired || attr(t, root, evm.AttributeName) != "060204" {
		t.Errorf("%+v", got)
	}
}

// A security.ima in another algorithm is what the list wants, if its digest of the metadata is
// over that.
func TestMetadataDigestOverAnotherAlgorithm(t *testing.T) {
	sum := sha512.Sum512([]byte(content))
	value := imasig.MarshalDigest(compact.SHA512, sum[:])
	want := listed()
	m := evm.Metadata{Mode: want.Mode, IMA: value}
	var err error
	if want.MetaDigest, err = m.Digest(compact.SHA256); err != nil {
		t.Fatal(err)
	}
	root := tree(t, fmt.Sprintf("setfattr -n security.ima -v 0x%x usr/bin/tool", value))
	if got := run(t, filemeta.Runner{}, root, tool(want)); got.Status != filemeta.Good {
		t.Errorf("%+v", got)
	}
	hosttest.Shell(t, root, "chmod 0600 usr/bin/tool")
	got := run(t, filemeta.Runner{Repair: true}, root, tool(want))
	if got.Status != filemeta.Repaired || len(got.Differences) != 1 || attr(t, root, imasig.AttributeName) != hex.EncodeToString(value) {
		t.Errorf("%+v, %s", got, attr(t, root, imasig.AttributeName))
	}
	hosttest.Shell(t, root, "setfattr -n security.ima -v 0x04061234 usr/bin/tool")
	if got := run(t, filemeta.Runner{}, root, tool(want)); got.Status != filemeta.Different {
		t.Errorf("a wrong one: %+v", got)
	}
}
