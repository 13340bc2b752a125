package relay

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strings"

	"example.com/postbag/internal/sasl"
)

// login shows the credentials (RFC 4954), by the strongest mechanism on offer.
func (s *server) login(ctx context.Context, c *session, conn net.Conn) error {
	creds := sasl.Credentials{User: s.o.User}
	secret, ask := &creds.Password, s.o.Password
	if s.o.Token != nil {
		secret, ask = &creds.Token, s.o.Token
	}
	var err error
	if *secret, err = ask(ctx); err != nil {
		return fmt.Errorf("AUTH: %w", err)
	}
	c.hide([]byte(*secret))
	if t, ok := conn.(*tls.Conn); ok {
		state := t.ConnectionState()
		creds.TLS = &state
	}
	_, offered := c.client.Extension("AUTH")
	mechs, err := sasl.Choose(strings.Fields(offered), &creds)
	if err != nil {
		return fmt.Errorf("AUTH: %w", err)
	}
	err = fmt.Errorf("AUTH: the server offers %q, which is of no use with these credentials", offered)
	for _, m := range mechs {
		if err = c.said("AUTH", c.client.Auth(exchange{m, c})); err == nil {
			if err := m.Done(); err != nil {
				return fmt.Errorf("AUTH: %v", err)
			}
			return nil
		}
		said := (*ServerError)(nil)
		if !errors.As(err, &said) {
			return err
		}
		final, detail := m.Refused()
		if detail != nil {
			err = fmt.Errorf("%w: %s", err, c.scrub(detail.Error()))
		}
		if final || said.Code/100 != 5 || said.Code == 535 {
			return err
		}
	}
	return err
}

// hide keeps a secret out of errors, as it is and as it is sent.
func (c *session) hide(secret []byte) {
	if len(secret) > 0 {
		c.secrets = append(c.secrets, base64.StdEncoding.EncodeToString(secret), string(secret))
	}
}

// exchange is a mechanism as go-smtp wants it.
type exchange struct {
	m sasl.Mechanism
	c *session
}

func (e exchange) Start() (mech string, ir []byte, err error) {
	ir, err = e.m.Start()
	e.c.hide(ir)
	return e.m.Name(), ir, err
}

// Next never answers with nil, which go-smtp takes for success.
func (e exchange) Next(challenge []byte) ([]byte, error) {
	answer, err := e.m.Next(challenge)
	e.c.hide(answer)
	if answer == nil {
		answer = []byte{}
	}
	return answer, err
}
