package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

const (
	packages        = 1_500
	packageFiles    = 60 // with a digest, in one package
	packagesPerSpec = 150
)

// makePackages fills dir with packages that rpmbuild makes, each with
// programs, libraries and data of a few bytes and a header like that of a
// distribution's package: description, dependencies, changelog.
func makePackages(dir string) error {
	work, err := os.MkdirTemp(filepath.Dir(dir), "rpmbuild-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	for first := 0; first < packages; first += packagesPerSpec {
		if err := makeSpec(work, dir, first, packagesPerSpec); err != nil {
			return err
		}
	}
	return nil
}

// makeSpec builds count packages, from number first on, as sub-packages of one spec file.
func makeSpec(work, dir string, first, count int) error {
	source := filepath.Join(work, "source")
	if err := os.RemoveAll(source); err != nil {
		return err
	}
	var spec bytes.Buffer
	fmt.Fprintf(&spec, specHead, first, source)
	for n := first; n < first+count; n++ {
		if err := writePackageFiles(source, n); err != nil {
			return err
		}
		fmt.Fprintf(&spec, specPackage, packageName(n))
	}
	spec.WriteString("%changelog\n")
	for entry := range 30 {
		fmt.Fprintf(&spec, specChange, 28-entry%28, 2020-entry/28, entry)
	}
	file := filepath.Join(work, "bench.spec")
	if err := os.WriteFile(file, spec.Bytes(), 0o644); err != nil {
		return err
	}
	return tool("rpmbuild", "-bb", "--quiet",
		"--define", "_topdir "+work,
		"--define", "_rpmdir "+dir,
		"--define", "_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm",
		"--define", "_binary_filedigest_algorithm 8", // SHA-256
		"--define", "_binary_payload w0.ufdio", // not compressed: nothing here reads it
		"--define", "__os_install_post %{nil}",
		"--define", "source_date_epoch_from_changelog 0",
		file)
}

func packageName(n int) string { return fmt.Sprintf("package%04d", n) }

// writePackageFiles writes the files of one package below the folder that is
// installed as /. No two have the same content.
func writePackageFiles(source string, n int) error {
	name := packageName(n)
	for i := range packageFiles {
		path, mode := filepath.Join("usr/share", name, fmt.Sprintf("data%02d", i)), os.FileMode(0o644)
		switch {
		case i < 5:
			path, mode = filepath.Join("usr/bin", fmt.Sprintf("%s-%d", name, i)), 0o755
		case i < 20:
			path, mode = filepath.Join("usr/lib", name, fmt.Sprintf("lib%02d.so", i)), 0o755
		}
		path = filepath.Join(source, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, fmt.Appendf(nil, "%s %d\n", name, i), mode); err != nil {
			return err
		}
	}
	return nil
}

const (
	specHead = `Name: bench%d
Version: 1.2
Release: 3
Summary: Packages to measure with
License: none
BuildArch: noarch
AutoReqProv: no
%%description
%%install
mkdir -p %%{buildroot}
cp -r %s/. %%{buildroot}
`
	specPackage = `%%package -n %[1]s
Summary: One of many packages
AutoReqProv: no
Provides: lib%[1]s.so.1()(64bit) lib%[1]s.so.1(VERSION_1.0)(64bit)
Requires: libc.so.6()(64bit) libc.so.6(GLIBC_2.34)(64bit) libm.so.6()(64bit) /bin/sh config(filesystem) >= 3
%%description -n %[1]s
A package with programs, libraries and data of a few bytes each, and with a
header of about the size that packages of distributions have. It is installed
nowhere: only its header is read, and written into databases.
%%files -n %[1]s
/usr/bin/%[1]s-*
/usr/lib/%[1]s
/usr/share/%[1]s
`
	specChange = `* Wed Jan %02d %d A Packager <packager@example.com> - 1.2-%d
- Rebuild for the new compiler, and mend what it found
- Take the fix for a crash on empty input from the next version
`
)
