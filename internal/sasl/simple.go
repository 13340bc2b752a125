package sasl

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/emersion/go-sasl"

	"example.com/postbag/internal/transport"
)

// errEarly: success was reported before the credentials were sent, which is
// success with whatever the server took them to be.
var errEarly = transport.Mark(transport.ErrProtocol, errors.New("sasl: the server is content before it has the credentials"))

// oneMessage is a mechanism in which the client says all it has to say at
// once: PLAIN (RFC 4616), EXTERNAL (RFC 4422 appendix A), ANONYMOUS (RFC 4505).
type oneMessage struct {
	sasl.Client
	name string
	sent bool
}

func newPlain(c *Credentials) Mechanism {
	return &oneMessage{Client: sasl.NewPlainClient(c.Identity, c.User, c.Password), name: "PLAIN"}
}

func newExternal(c *Credentials) Mechanism {
	return &oneMessage{Client: sasl.NewExternalClient(c.Identity), name: "EXTERNAL"}
}

func newAnonymous(c *Credentials) Mechanism {
	return &oneMessage{Client: sasl.NewAnonymousClient(c.Identity), name: "ANONYMOUS"}
}

func (m *oneMessage) Name() string { return m.name }

func (m *oneMessage) Start() ([]byte, error) {
	m.sent = true
	_, ir, err := m.Client.Start()
	return ir, err
}

func (m *oneMessage) Done() error            { return early(m.sent) }
func (m *oneMessage) Refused() (bool, error) { return m.sent, nil }

func early(sent bool) error {
	if !sent {
		return errEarly
	}
	return nil
}

// login is LOGIN (draft-murchison-sasl-login), which was never a standard:
// the server asks for the user and then for the password, in whatever words.
type login struct {
	c *Credentials
	n int
}

func (m *login) Name() string           { return "LOGIN" }
func (m *login) Start() ([]byte, error) { return nil, nil }

func (m *login) Next([]byte) ([]byte, error) {
	switch m.n++; m.n {
	case 1:
		return []byte(m.c.User), nil
	case 2:
		return []byte(m.c.Password), nil
	}
	return nil, errors.New("sasl: LOGIN: the server asks for a third thing")
}

func (m *login) Done() error            { return early(m.n >= 2) }
func (m *login) Refused() (bool, error) { return m.n >= 2, nil }

// cram is CRAM-MD5 (RFC 2195).
type cram struct {
	c    *Credentials
	sent bool
}

func (m *cram) Name() string           { return "CRAM-MD5" }
func (m *cram) Start() ([]byte, error) { return nil, nil }

func (m *cram) Next(challenge []byte) ([]byte, error) {
	if m.sent || len(challenge) == 0 {
		return nil, fmt.Errorf("sasl: CRAM-MD5: challenge %.100q is out of place", challenge)
	}
	m.sent = true
	h := hmac.New(md5.New, []byte(m.c.Password))
	h.Write(challenge)
	return []byte(m.c.User + " " + hex.EncodeToString(h.Sum(nil))), nil
}

func (m *cram) Done() error { return early(m.sent) }

// Refused is never final: a server that keeps passwords hashed cannot do
// CRAM-MD5, and may offer it all the same.
func (m *cram) Refused() (bool, error) { return false, nil }
