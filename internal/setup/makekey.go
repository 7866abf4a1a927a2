package setup

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"digestlists/internal/certificate"
	"digestlists/internal/signkey"
)

// makeKey makes what `keys make` makes: a key for lists, and its certificate for ten years.
func makeKey(keyPath, certPath string) error {
	key, err := signkey.Generate("rsa-3072")
	if err != nil {
		return err
	}
	der, err := certificate.Make(key, "digest lists", time.Now(), 3650, nil)
	if err != nil {
		return err
	}
	text, err := key.MarshalPEM(nil)
	if err != nil {
		return err
	}
	for _, dir := range []string{filepath.Dir(keyPath), filepath.Dir(certPath)} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	// The key is never there for others to read, not even while it is written.
	return errors.Join(writeFile(keyPath, text, 0o600), writeFile(certPath, der, 0o644))
}
