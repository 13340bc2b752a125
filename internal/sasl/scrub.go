package sasl

import (
	"bytes"
	"encoding/base64"
)

// Scrub returns a line with secrets replaced by "***", and does not change it.
// Servers quote what they do not understand. A challenge ("+ ", then base64)
// that holds a secret is replaced as a whole.
func Scrub(line []byte, secrets [][]byte) []byte {
	var challenge []byte
	if text, ok := bytes.CutPrefix(line, []byte("+ ")); ok && len(secrets) > 0 {
		challenge, _ = base64.StdEncoding.DecodeString(string(text)) // which passes over the line's end
	}
	for _, s := range secrets {
		if bytes.Contains(challenge, s) {
			return []byte("+ ***\r\n")
		}
		line = bytes.ReplaceAll(line, s, []byte("***"))
	}
	return line
}

// ServerProof returns what the server has to say next to show that it knows
// the password, or "" if m asks for nothing of the kind. It is a secret, too:
// passwords can be tried on it.
func ServerProof(m Mechanism) string {
	if s, ok := m.(*scram); ok && s.signature != nil {
		return base64.StdEncoding.EncodeToString(s.signature)
	}
	return ""
}
