package pgp

import (
	"fmt"

	"digestlists/internal/imasig"
	"digestlists/internal/pgp/packet"
)

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: OpenPGP signature: "+format, append([]any{imasig.ErrMalformed}, args...)...)
}

func unsupported(format string, args ...any) error {
	return fmt.Errorf("%w: OpenPGP signature: "+format, append([]any{imasig.ErrUnsupported}, args...)...)
}

// signaturePacket returns a reader of the body of the next packet.
func signaturePacket(in *packet.Reader) (*packet.Reader, error) {
	start := in.At()
	body, err := packet.Next(in)
	if err != nil {
		return nil, malformed("offset %d: %w", start, err)
	}
	return body, nil
}

// maxSignatures is how many packets one header may have: more would only be there to
// keep a verifier busy.
const maxSignatures = 64

// Split takes signature packets apart that come one after the other, as RPM 6 has
// them in tag 278 and as `cat` makes them of several. No bytes are no packets.
func Split(packets []byte) ([][]byte, error) {
	var all [][]byte
	for in := packet.NewReader(packets); in.Left() > 0; {
		start := in.At()
		if _, err := signaturePacket(in); err != nil {
			return nil, err
		}
		if len(all) == maxSignatures {
			return nil, malformed("offset %d: more than %d packets", start, maxSignatures)
		}
		all = append(all, in.Since(start))
	}
	return all, nil
}
