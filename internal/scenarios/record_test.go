package scenarios_test

import (
	"crypto/tls"
	"errors"
	"flag"
	"path/filepath"
	"testing"
	"time"

	"example.com/postbag/internal/imapserver"
	"example.com/postbag/internal/scenarios"
	"example.com/postbag/internal/servers"
	"example.com/postbag/internal/testca"
)

var record = flag.Bool("record", false, "record every scenario with every server into the clients' testdata")

// TestScenarios runs every scenario against every real server, and with
// -record writes the sessions down.
func TestScenarios(t *testing.T) {
	imapDir, pop3Dir := t.TempDir(), t.TempDir()
	if *record {
		imapDir = filepath.Join("..", "..", "imapclient", "testdata", "sessions")
		pop3Dir = filepath.Join("..", "..", "pop3client", "testdata", "sessions")
	}
	for _, kind := range servers.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			s := servers.Start(t, kind, servers.User{Name: scenarios.User, Password: scenarios.Password})
			cfg := &tls.Config{RootCAs: s.CA}
			fill := func(mail [][]byte) {
				s.Reset(t, scenarios.User)
				if len(mail) > 0 {
					s.Deliver(t, scenarios.User, mail...)
				}
			}
			for _, sc := range scenarios.IMAP() {
				if addr := pick(sc.Security, s.IMAP, s.IMAPS); addr != "" {
					fill(sc.In())
					t.Run("imap/"+sc.Name, func(t *testing.T) {
						scenarios.Record(t, imapDir, string(kind), addr, cfg, sc, scenarios.DialIMAP)
					})
				}
			}
			for _, sc := range scenarios.POP3() {
				if addr := pick(sc.Security, s.POP3, s.POP3S); addr != "" && !(kind == servers.Popa3d && sc.Security != scenarios.Plain) {
					fill(sc.In())
					t.Run("pop3/"+sc.Name, func(t *testing.T) {
						scenarios.Record(t, pop3Dir, string(kind), addr, cfg, sc, scenarios.DialPOP3)
					})
				}
			}
		})
	}
	t.Run("goimap", func(t *testing.T) { goimap(t, imapDir) })
}

// goimap is go-imap's own server.
func goimap(t *testing.T, dir string) {
	for _, sc := range scenarios.IMAP() {
		if sc.Real {
			continue
		}
		ca, err := testca.New()
		if err != nil {
			t.Fatal(err)
		}
		cert, err := ca.Issue(time.Now().Add(time.Hour), "127.0.0.1")
		if err != nil {
			t.Fatal(err)
		}
		s, err := imapserver.Start(&imapserver.Options{
			User: scenarios.User, Password: scenarios.Password,
			TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}}, ImplicitTLS: sc.Security == scenarios.TLS,
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range sc.In() {
			s.Deliver("INBOX", m)
		}
		scenarios.Record(t, dir, "goimap", s.Addr(), &tls.Config{RootCAs: ca.Pool()}, sc, scenarios.DialIMAP)
		if err := s.Close(); err != nil && !errors.Is(err, errors.ErrUnsupported) {
			t.Log(err)
		}
	}
}

func pick(security scenarios.Security, plain, tls string) string {
	if security == scenarios.TLS {
		return tls
	}
	return plain
}
