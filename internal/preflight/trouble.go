package preflight

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// trouble looks for programs that are known to go wrong with appraisal.
func trouble(m *Machine) []Finding {
	findings := plymouth(m)
	findings = append(findings, temporaryCode(m)...)
	if len(findings) == 0 {
		return fine("no program is known to go wrong with appraisal")
	}
	return findings
}

// plymouth copies its files into the initramfs without their attributes.
func plymouth(m *Machine) []Finding {
	for _, program := range []string{"/usr/sbin/plymouthd", "/sbin/plymouthd"} {
		there, err := exists(m.path(program))
		if err != nil {
			return m.unread(program, err, "whether plymouth copies files into the initramfs without their security attributes is not known")
		}
		if there {
			return amiss(Warning, "plymouth copies files into the initramfs without their security attributes", "under appraisal it may not run there",
				"boot with plymouth.enable=0 rd.plymouth=0, or list its files: gen_digest_lists -f unknown")
		}
	}
	return nil
}

// volatile are where programs write files that no list can have.
var volatile = []string{"/tmp/", "/var/tmp/", "/dev/shm/", "/run/", "/memfd:"}

// temporaryCode finds programs that run now and have mapped a temporary file so that it
// can be executed.
func temporaryCode(m *Machine) []Finding {
	maps, _ := filepath.Glob(m.path("/proc/[0-9]*/maps"))
	var programs []string
	denied := 0
	for _, path := range maps {
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrPermission) {
			denied++
		}
		if err != nil { // or it has ended
			continue
		}
		file := executableTemporary(string(text))
		if file == "" {
			continue
		}
		name, err := os.ReadFile(filepath.Join(filepath.Dir(path), "comm"))
		if err != nil {
			continue
		}
		if p := strings.TrimSpace(string(name)) + " (" + file + ")"; !slices.Contains(programs, p) {
			programs = append(programs, p)
		}
	}
	var findings []Finding
	if len(programs) > 0 {
		slices.Sort(programs)
		findings = amiss(Warning, fmt.Sprintf("%d programs execute temporary files, which no list can have: %s", len(programs), strings.Join(programs, ", ")),
			"under enforced appraisal they fail", "let them use anonymous memory, or leave these files out of the policy: "+
				"dont_appraise fsmagic=0x01021994 for those on tmpfs, before the other rules of "+customPolicy)
	}
	if denied > 0 {
		findings = append(findings, amiss(Unknown, fmt.Sprintf("what %d programs of other users have in memory may not be looked at", denied),
			"whether they execute temporary files is not known", m.mendReading("/proc", fs.ErrPermission))...)
	}
	return findings
}

// executableTemporary returns the first such file of /proc/PID/maps (proc(5)): address,
// permissions, offset, device, inode, path.
func executableTemporary(maps string) string {
	for line := range strings.Lines(maps) {
		f := strings.Fields(line)
		if len(f) < 6 || !strings.Contains(f[1], "x") {
			continue
		}
		for _, prefix := range volatile {
			if strings.HasPrefix(f[5], prefix) {
				return f[5]
			}
		}
	}
	return ""
}
