package sasl_test

import (
	"encoding/base64"
	"testing"

	"example.com/postbag/internal/sasl"
)

func TestScrub(t *testing.T) {
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, tt := range []struct{ name, line, want string }{
		{"nothing to hide", "-ERR no\r\n", "-ERR no\r\n"},
		{"as it is", "-ERR PASS pencil, pencil\r\n", "-ERR PASS ***, ***\r\n"},
		{"as it was sent", "a1 NO " + b64("\x00joe\x00pencil") + "\r\n", "a1 NO ***\r\n"},
		{"in a challenge", "+ " + b64("x pencil x") + "\r\n", "+ ***\r\n"},
		{"a harmless challenge", "+ VXNlcm5hbWU6\r\n", "+ VXNlcm5hbWU6\r\n"},
		{"no base64", "+ pencil?\r\n", "+ ***?\r\n"},
		{"an empty challenge", "+ \r\n", "+ \r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			line := []byte(tt.line)
			got := sasl.Scrub(line, [][]byte{[]byte("pencil"), []byte(b64("\x00joe\x00pencil"))})
			if string(got) != tt.want || string(line) != tt.line {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// Whoever has the server's proof can try passwords on it.
func TestServerProof(t *testing.T) {
	m := scram(t, "SCRAM-SHA-256", "", nil)
	m.Start()
	if got := sasl.ServerProof(m); got != "" {
		t.Errorf("%q before there is one", got)
	}
	if _, err := m.Next([]byte("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")); err != nil {
		t.Fatal(err)
	}
	if got, want := sasl.ServerProof(m), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="; got != want { // RFC 7677 section 3
		t.Errorf("%q, want %q", got, want)
	}
}
