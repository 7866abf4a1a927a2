package update

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// A run that is killed at any point leaves every installed file known, on disk and
// to the kernel, and the next run finishes what it began.
func TestKilled(t *testing.T) {
	t.Parallel()
	prepared := newMachine(t)
	prepareUpgrade(prepared)
	before := prepared.runs()
	count := prepared.copy(t)
	count.update()
	runs := count.runs() - before
	if runs < 5 {
		t.Fatalf("an upgrade runs %d tools", runs)
	}
	for n := 1; n <= runs; n++ {
		for _, when := range []string{"before", "after"} {
			t.Run(fmt.Sprintf("%s %d", when, n), func(t *testing.T) {
				t.Parallel()
				m := prepared.copy(t)
				cmd := m.command()
				cmd.Env = append(cmd.Env, fmt.Sprintf("KILL=%s %d", when, before+n))
				if got := m.finish(cmd); got.code != -1 {
					t.Fatalf("not killed: %+v", got)
				}
				m.checkUpgrade()
			})
		}
	}
}

// checkUpgrade expects that a run that was cut short has left nothing unknown, and that the next one does the rest.
func (m *machine) checkUpgrade() {
	m.t.Helper()
	m.checkRecord()
	if got := m.update(); got.code != 0 || got.stderr != "" {
		m.t.Fatalf("afterwards: %+v", got)
	}
	m.wantLists("0-file_list-rpm-b-1-1-noarch", "1-file_list-rpm-a-2-1-noarch")
	if !m.replay(fileDigests(m.t, "b-1")).has(fileDigests(m.t, "a-2", "b-1")) {
		m.t.Error("the kernel does not know all that is installed")
	}
	m.checkRecord()
	if !m.exists("var/lib/digest_lists/initramfs-stale") {
		m.t.Error("the initramfs is not marked")
	}
}

// checkRecord expects that the kernel has all lists that it is said to have: else one
// that it does not have would be unloaded some day, and digests with it that other
// lists brought.
func (m *machine) checkRecord() {
	m.t.Helper()
	has := m.replay(nil)
	needed := make(table)
	for _, name := range m.lists() {
		sum := sha256.Sum256([]byte(m.read("etc/lists/" + name)))
		if !strings.Contains(m.read("run/digest_lists/loaded"), hex.EncodeToString(sum[:])) {
			continue
		}
		label := strings.Split(name, "-") // 0-file_list-rpm-a-2-1-noarch
		for d := range fileDigests(m.t, label[3]+"-"+label[4]) {
			if needed[d]++; needed[d] > has[d] {
				m.t.Fatalf("%s is not in the kernel", name)
			}
		}
	}
}

// prepareUpgrade makes a machine in step and then changes its database.
func prepareUpgrade(m *machine) {
	m.t.Helper()
	m.write("sys/kernel/security/ima/digests_count", "0\n")
	m.update()
	m.remove("var/lib/digest_lists")
	m.rpm("-U", packageFile("a-2"))
}

// Runs at the same time wait for each other.
func TestConcurrentRuns(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	prepareUpgrade(m)
	results := make([]result, 4)
	var all sync.WaitGroup
	for i := range results {
		all.Go(func() { results[i] = m.finish(m.command()) })
	}
	all.Wait()
	did := 0
	for _, r := range results {
		if r.code != 0 || r.stderr != "" {
			t.Errorf("%+v", r)
		}
		if r.stdout != "" {
			did++
		}
	}
	if did != 1 {
		t.Errorf("%d of the runs changed something", did)
	}
	m.wantTable("a-2", "b-1")
}
