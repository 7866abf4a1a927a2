// Package evmkey makes the keys of EVM, keeps them in files and loads them.
//
// EVM computes an HMAC over the attributes of a file with a key that no program ever
// sees: it is encrypted with a master key, and only the kernel decrypts it. The master
// key is either sealed by a TPM ("trusted"), or bytes that root can read ("user"),
// which protect nothing from root. See the kernel's documentation,
// Documentation/security/keys/trusted-encrypted.rst.
//
// The files are those that the modules masterkey and integrity of dracut load: one line
// each, as keyctl pipe prints keys. Their default is the trusted master key; for the
// other one, the files of /etc/sysconfig say so.
package evmkey
