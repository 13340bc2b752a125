package retrievaltest

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"

	"example.com/postbag/internal/testca"
)

// TLSFault is a way for TLS to go wrong.
type TLSFault int

// The ways for TLS to go wrong. A client that looks at what it is shown ends
// each of them with an error, before it says a secret.
const (
	TLSExpired          TLSFault = iota // the certificate was valid until an hour ago
	TLSWrongName                        // the certificate is another host's
	TLSUnknownAuthority                 // the certificate's issuer is none that the client trusts
	TLSOld                              // the server knows TLS 1.1 at most
	TLSCut                              // the connection ends within the handshake
	TLSStalled                          // the handshake is never answered
	TLSEarlyData                        // octets come ahead of the handshake, as part of the last segment before it
	TLSNone                             // the server goes on without TLS
)

var tlsFaultNames = [...]string{"expired", "wrong name", "unknown authority", "old version", "cut", "stalled", "early data", "none"}

// String says what goes wrong, for messages.
func (f TLSFault) String() string { return tlsFaultNames[f] }

// BadTLS lets TLS go wrong, with STLS and STARTTLS once the server has agreed
// to it. It is for [Faulty].
func BadTLS(how TLSFault) *Fault { return &Fault{what: faultTLS, tls: how, conn: 1} }

// faultAuthority shows certificates to the client in the server's place.
type faultAuthority struct {
	trusted, unknown *testca.Authority
	toServer         *tls.Config
}

func newFaultAuthority(toServer *tls.Config) (*faultAuthority, error) {
	a := &faultAuthority{toServer: toServer}
	var err error
	if a.trusted, err = testca.New(); err != nil {
		return nil, err
	}
	a.unknown, err = testca.New()
	return a, err
}

// forServer returns the configuration of the connection to the server at host.
func (a *faultAuthority) forServer(host string) *tls.Config {
	cfg := new(tls.Config)
	if a.toServer != nil {
		cfg = a.toServer.Clone()
	}
	if cfg.ServerName == "" {
		cfg.ServerName = host
	}
	return cfg
}

// forClient returns the configuration with which the client is met, good or
// with a fault.
func (a *faultAuthority) forClient(host string, f *Fault) (*tls.Config, error) {
	name, until, ca := a.forServer(host).ServerName, time.Now().Add(24*time.Hour), a.trusted
	cfg := &tls.Config{SessionTicketsDisabled: true}
	if f != nil {
		switch f.tls {
		case TLSExpired:
			until = time.Now().Add(-time.Hour)
		case TLSWrongName:
			name = "elsewhere.example"
		case TLSUnknownAuthority:
			ca = a.unknown
		case TLSOld:
			cfg.MinVersion, cfg.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
		}
	}
	cert, err := ca.Issue(until, name)
	cfg.Certificates = []tls.Certificate{cert}
	return cfg, err
}

// meet makes the TLS connection to the client, or lets that go wrong.
func (c *faultyConn) meet() (net.Conn, error) {
	f := c.tlsFault
	cfg, err := c.authority.forClient(c.host, f)
	if err != nil {
		return nil, err
	}
	raw := net.Conn(c.ours)
	implicit := c.toServer() != c.raw
	if f != nil && (f.tls != TLSEarlyData || implicit) { // see startTLS
		f.struck.Add(1)
		switch f.tls {
		case TLSEarlyData:
			io.WriteString(raw, c.greetingAgain())
		case TLSStalled:
			c.sleep(0)
			return nil, errFaultOver
		case TLSNone:
			io.WriteString(raw, c.greetingAgain())
			c.sleep(0)
			return nil, errFaultOver
		case TLSCut:
			raw = &cutWriter{Conn: raw, left: 100}
		}
	}
	secure := tls.Server(raw, cfg)
	return secure, secure.Handshake()
}

// greetingAgain is what someone on the way could say in the server's place.
func (c *faultyConn) greetingAgain() string {
	if c.dialect() == dialectIMAP {
		return "* OK [CAPABILITY IMAP4rev1] ahead of TLS\r\n"
	}
	return "+OK ahead of TLS\r\n"
}

// errFaultOver ends a connection whose fault leaves nothing to do.
var errFaultOver = errors.New("the fault has ended the connection")

// cutWriter ends the connection after so many octets written.
type cutWriter struct {
	net.Conn
	left int
}

func (w *cutWriter) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p[:min(len(p), w.left)])
	if w.left -= n; w.left == 0 {
		w.Conn.Close()
		return n, errFaultOver
	}
	return n, err
}
