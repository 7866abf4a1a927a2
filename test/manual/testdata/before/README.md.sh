ln -s "$SOURCE/attest" "$SOURCE/demo" .
