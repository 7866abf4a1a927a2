package preflight

import "testing"

func TestKernel(t *testing.T) {
	m := good(t)
	want(t, kernel(m), OK, "kernel 5.10.0-test, built as /boot/config-5.10.0-test says")
	m.write(t, "/boot/config-5.10.0-test", "CONFIG_SECURITYFS=y\n# CONFIG_IMA is not set\nCONFIG_EVM=m\n")
	want(t, kernel(m), Error, "CONFIG_IMA is not set: nothing is measured or appraised")
	want(t, kernel(m), Warning, "CONFIG_IMA_APPRAISE is not set")
	m.remove(t, "/boot/config-5.10.0-test")
	want(t, kernel(m), Unknown, "how it was built is not known")
	m.remove(t, "/proc/sys")
	want(t, kernel(m), Unknown, "the version of the kernel is not known")
}

func TestSecurityFS(t *testing.T) {
	m := good(t)
	want(t, securityFS(m), OK, "is there")
	want(t, extension(m), OK, "the kernel has digest lists")
	m.remove(t, "/sys/kernel/security/ima/digest_list_data")
	want(t, extension(m), Error, "the kernel has no digest lists")
	m.unreadable(t, "/sys/kernel/security/ima/digest_list_data")
	want(t, extension(m), Unknown, "whether the kernel has digest lists is not known")
	m.remove(t, "/sys/kernel/security/ima")
	want(t, securityFS(m), Error, "securityfs has no folder ima")
	m.remove(t, "/sys/kernel/security")
	want(t, securityFS(m), Unknown, "whether the kernel has IMA is not known")
	m.unreadable(t, "/sys/kernel/security")
	want(t, securityFS(m), Unknown, "too many levels of symbolic links")
}

func TestCommandLine(t *testing.T) {
	m := good(t)
	want(t, commandLine(m), OK, "takes digest lists")
	m.write(t, "/proc/cmdline", "root=/dev/vda1 ima_policy=exec_tcb ima_digest_list_pcr=10")
	want(t, commandLine(m), Warning, "want a register other than 10")
	m.remove(t, "/proc/cmdline")
	want(t, commandLine(m), Unknown, "the command line of the kernel is not known")
	want(t, initramfsRoot(m), Unknown, "the command line of the kernel is not known")
}

func TestInitramfsRoot(t *testing.T) {
	m := good(t)
	want(t, initramfsRoot(m), OK, "tmpfs, which keeps attributes")
	m.write(t, "/proc/cmdline", "root=/dev/vda1")
	want(t, initramfsRoot(m), Warning, "ramfs, which keeps no attributes")
	m.write(t, "/proc/cmdline", "quiet")
	want(t, initramfsRoot(m), OK, "tmpfs, which keeps attributes")
}

func TestPolicy(t *testing.T) {
	m := good(t)
	want(t, policy(m), OK, "2 rules are in force")
	m.write(t, "/etc/ima/ima-policy", "measure func=DIGEST_LIST_CHECK pcr=11\n")
	want(t, policy(m), OK, "measures digest lists")
	m.write(t, "/etc/ima/ima-policy", "# measure func=DIGEST_LIST_CHECK\nmeasure func=BPRM_CHECK\n")
	want(t, policy(m), Warning, "does not measure digest lists")
	m.unreadable(t, "/etc/ima/ima-policy")
	want(t, policy(m), Unknown, "ima-policy")
	m.unreadable(t, "/sys/kernel/security/ima/policy")
	want(t, policy(m), Unknown, "the rules in force are not known")
	m.remove(t, "/sys/kernel/security/ima/policy")
	want(t, policy(m), OK, "no policy can be loaded any more")
}

func TestTPM(t *testing.T) {
	m := good(t)
	want(t, tpm(m), OK, "a TPM 2.0 with banks sha1 sha256")
	m.remove(t, "/sys/class/tpm/tpm0/pcr-sha256")
	want(t, tpm(m), Warning, "no SHA-256 bank, but sha1")
	m.remove(t, "/sys/class/tpm/tpm0/pcr-sha1")
	want(t, tpm(m), Unknown, "banks the kernel does not show")
	m.write(t, "/sys/class/tpm/tpm0/tpm_version_major", "1\n")
	want(t, tpm(m), Warning, "of version 1")
	m.unreadable(t, "/sys/class/tpm/tpm0/tpm_version_major")
	want(t, tpm(m), Unknown, "neither version nor banks are known")
	m.remove(t, "/sys/class/tpm/tpm0")
	want(t, tpm(m), Warning, "there is no TPM")
	m.unreadable(t, "/sys/class/tpm")
	want(t, tpm(m), Unknown, "too many levels of symbolic links")
}

func TestEVM(t *testing.T) {
	m := good(t)
	want(t, evm(m), OK, "EVM has no key")
	m.write(t, "/etc/keys/evm-user.blob", "blob")
	want(t, evm(m), Warning, "EVM gets a key at the next boot")
	m.write(t, "/sys/kernel/security/evm", "2147483649\n")
	want(t, evm(m), Warning, "EVM has a key (state 2147483649)")
	m.write(t, "/sys/kernel/security/evm", "on\n")
	want(t, evm(m), Unknown, "evm in securityfs")
	m.unreadable(t, "/sys/kernel/security/evm")
	want(t, evm(m), Unknown, "too many levels of symbolic links")
}
