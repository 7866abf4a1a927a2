package preflight

import (
	"fmt"

	"digestlists/internal/kernelconfig"
)

// options are what a kernel is built with for digest lists, from Linux's
// security/integrity/*/Kconfig.
var options = []struct {
	name    string
	verdict Verdict // without it
	means   string  // what is missing then
}{
	{"CONFIG_IMA", Error, "nothing is measured or appraised"},
	{"CONFIG_SECURITYFS", Error, "there is no way to load digest lists or policies"},
	{"CONFIG_IMA_APPRAISE", Warning, "files can be measured, but not appraised"},
	{"CONFIG_EVM", Warning, "attributes of files are not protected"},
	{"CONFIG_ENCRYPTED_KEYS", Warning, "there can be no EVM key"},
	{"CONFIG_TMPFS_XATTR", Warning, "lists in the initramfs have no signatures there"},
	{"CONFIG_IMA_WRITE_POLICY", Warning, "one custom policy can be loaded, and not changed until the next boot"},
}

// kernel looks at the version and at how the kernel was built.
func kernel(m *Machine) []Finding {
	version := kernelconfig.Version(m.Root)
	if version == "" {
		return amiss(Unknown, "the version of the kernel is not known: /proc/sys/kernel/osrelease cannot be read",
			"whether it can have digest lists is not known either", "mount -t proc proc "+m.path("/proc"))
	}
	config, where, err := kernelconfig.Read(m.Root, version)
	if err != nil {
		return amiss(Unknown, fmt.Sprintf("kernel %s: how it was built is not known: %v", version, err), "it may lack IMA or appraisal",
			"modprobe configs, where the kernel has /proc/config.gz; or install the file /boot/config-"+version+" of the kernel's package")
	}
	findings := fine("kernel %s, built as %s says", version, where)
	for _, o := range options {
		if v := config[o.name]; v != "y" && v != "m" {
			findings = append(findings, amiss(o.verdict, o.name+" is not set", o.means, "boot a kernel that is built with "+o.name+"=y")...)
		}
	}
	return findings
}
