package pgp

// Tail is what is hashed after the content.
func (s *Signature) Tail() []byte { return s.tail }
