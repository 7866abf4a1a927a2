package evmkey

import "fmt"

// A Kind is a type of master key of the kernel.
type Kind string

// The kinds.
const (
	Trusted Kind = "trusted" // sealed by a TPM
	User    Kind = "user"    // bytes in a file
)

// ParseKind returns the kind of that name.
func ParseKind(name string) (Kind, error) {
	if k := Kind(name); k == Trusted || k == User {
		return k, nil
	}
	return "", fmt.Errorf("master key %q, want trusted or user", name)
}

// The files that dracut's modules look for.
const (
	masterConfig = "/etc/sysconfig/masterkey"
	evmConfig    = "/etc/sysconfig/evm"
)

// MasterFile is where a master key is kept.
func (k Kind) MasterFile() string { return fmt.Sprintf("/etc/keys/kmk-%s.blob", k) }

// EVMFile is where the EVM key is kept that a master key encrypts.
func (k Kind) EVMFile() string { return fmt.Sprintf("/etc/keys/evm-%s.blob", k) }

// MasterConfig is what tells dracut which master key there is.
func (k Kind) MasterConfig() (path, content string) {
	return masterConfig, fmt.Sprintf("MASTERKEYTYPE=%q\nMASTERKEY=%q\n", k, k.MasterFile())
}

// EVMConfig is what tells dracut which EVM key there is.
func (k Kind) EVMConfig() (path, content string) {
	return evmConfig, fmt.Sprintf("EVMKEY=%q\n", k.EVMFile())
}

// description is what dracut's modules and EVM's users call the master key.
func (k Kind) description() string { return "kmk-" + string(k) }

// keyName is what EVM looks for, see evm_init_key() of the kernel.
const keyName = "evm-key"
