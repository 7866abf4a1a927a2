package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// machine describes what the figures depend on; what cannot be found is left out.
func machine() []string {
	facts := []string{fmt.Sprintf("%d cores, %s", runtime.NumCPU(), field("/proc/cpuinfo", "model name"))}
	if memory := field("/proc/meminfo", "MemTotal"); memory != "" {
		facts = append(facts, memory+" of memory")
	}
	facts = append(facts, runtime.Version())
	for _, argv := range [][]string{{"uname", "-sr"}, {"rpm", "--version"}, {"openssl", "version"}, {"evmctl", "--version"}} {
		if out, err := exec.Command(argv[0], argv[1:]...).Output(); err == nil {
			facts = append(facts, strings.TrimSpace(string(out)))
		}
	}
	return facts
}

// loadAverage returns how many tasks ran or waited for a core during the last
// minute, 0 where the system does not tell.
func loadAverage() (load float64) {
	if content, err := os.ReadFile("/proc/loadavg"); err == nil {
		fmt.Sscan(string(content), &load)
	}
	return load
}

// field returns the first value of a name in a file of "name : value" lines.
func field(file, name string) string {
	content, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(content)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
