package scenarios_test

import (
	"crypto/tls"
	"testing"

	"example.com/postbag/imapclient"
	"example.com/postbag/internal/scenarios"
	"example.com/postbag/internal/servers"
	"example.com/postbag/pop3client"
)

// TestChannelBinding logs in with SCRAM bound to the TLS connection, on the
// one server that can do it.
//
// QUIRK: Cyrus 3.6 binds to tls-unique even with TLS 1.3, where RFC 9266 says
// tls-exporter and tls-unique is not defined: there it works without binding.
func TestChannelBinding(t *testing.T) {
	s := servers.Start(t, servers.Cyrus, servers.User{Name: scenarios.User, Password: scenarios.Password})
	cfg := &tls.Config{RootCAs: s.CA, MaxVersion: tls.VersionTLS12}
	for _, mechanism := range []string{"SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"} {
		p, err := pop3client.Dial(t.Context(), s.POP3S, &pop3client.Options{TLSConfig: cfg})
		if err != nil {
			t.Fatal(err)
		}
		err = p.Auth(t.Context(), pop3client.Credentials{User: scenarios.User, Password: scenarios.Password, Mechanisms: []string{mechanism}})
		if err != nil {
			t.Errorf("POP3, %s: %v", mechanism, err)
		}
		p.Close()
		i, err := imapclient.Dial(t.Context(), s.IMAPS, &imapclient.Options{TLSConfig: cfg})
		if err != nil {
			t.Fatal(err)
		}
		err = i.Auth(t.Context(), imapclient.Credentials{User: scenarios.User, Password: scenarios.Password, Mechanisms: []string{mechanism}})
		if err != nil {
			t.Errorf("IMAP, %s: %v", mechanism, err)
		}
		i.Close()
	}
}
