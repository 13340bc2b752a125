package fakemail

import (
	"crypto/tls"
	"encoding/base64"
	"strings"
)

func (s *session) capability(a *args) error {
	if err := a.done(); err != nil {
		return err
	}
	s.line("* CAPABILITY " + s.capabilityList())
	return nil
}

func (s *session) logout(a *args) error {
	if err := a.done(); err != nil {
		return err
	}
	s.unselect()
	s.line("* BYE see you")
	s.over = true
	return nil
}

// id answers ID. RFC 2971.
func (s *session) id(a *args) error {
	if s.store.profile == Exchange && a.s[a.i:] == "()" {
		return bad("Command Argument Error. 11") // quirk 10
	}
	if a.peek() == '(' {
		a.list(func() {
			if a.nstring(); a.err == nil {
				a.space()
				a.nstring()
			}
		})
	} else if a.atom() != "NIL" {
		a.fail("ID takes a list or NIL")
	}
	if err := a.done(); err != nil {
		return err
	}
	name := map[Profile]string{Standard: "postbag", Gmail: "GImap", Exchange: "Microsoft.Exchange.Imap4.Imap4Server"}
	s.line(`* ID ("name" ` + quote(name[s.store.profile]) + `)`)
	return nil
}

// nstring reads a string or NIL.
func (a *args) nstring() string {
	if c := a.peek(); c == '"' || c == '{' {
		return a.astring()
	}
	if a.atom() != "NIL" {
		a.fail("a string or NIL is expected")
	}
	return ""
}

// startTLS begins TLS. What came ahead of the handshake is dropped with the
// old buffer. RFC 9051 section 6.2.1.
func (s *session) startTLS(a *args) error {
	if err := a.done(); err != nil {
		return err
	}
	if !s.canStartTLS() {
		return bad("TLS is on already, or not to be had")
	}
	s.line(s.tag + " OK begin TLS")
	if err := s.flush(); err != nil {
		return err
	}
	s.conn, s.secure = tls.Server(s.raw, s.srv.opts.TLSConfig), true
	s.buffers()
	return errAnswered
}

func (s *session) login(a *args) error {
	name := a.astring()
	a.space()
	password := a.astring()
	if err := a.done(); err != nil {
		return err
	}
	if !s.mayLogIn() {
		return no("[PRIVACYREQUIRED] not without TLS")
	}
	return s.loggedIn(name, password)
}

// loggedIn ends a login, well or not.
func (s *session) loggedIn(name, password string) error {
	u, refusal := s.store.login(name, password)
	if u == nil {
		return no(refusal)
	}
	s.user = u
	switch s.store.profile {
	case Gmail:
		s.line("* CAPABILITY " + s.capabilityList())
		return ok(name + " authenticated (Success)")
	case Exchange:
		return nil
	}
	return ok("[CAPABILITY " + s.capabilityList() + "] logged in")
}

// authenticate runs a SASL exchange. RFC 9051 section 6.2.2, RFC 4959.
func (s *session) authenticate(a *args) error {
	mech := a.atom()
	var initial []byte
	if a.take(' ') {
		var err error
		if w := a.word(" "); w != "=" {
			initial, err = base64.StdEncoding.DecodeString(w)
		} else {
			initial = []byte{}
		}
		if err != nil || !s.srv.has["SASL-IR"] {
			return bad("no such initial response")
		}
	}
	if err := a.done(); err != nil {
		return err
	}
	if !s.srv.has["AUTH="+mech] {
		return no("[CANNOT] no such mechanism")
	}
	if !s.mayLogIn() {
		return no("[PRIVACYREQUIRED] not without TLS")
	}
	if initial == nil {
		var err error
		if initial, err = s.challenge(""); err != nil {
			return err
		}
	}
	name, password, legible := Credentials(mech, string(initial))
	if !legible {
		return bad("this is no answer of " + mech)
	}
	err := s.loggedIn(name, password)
	if s.user == nil && mech != "PLAIN" && s.store.profile != Exchange {
		// The reason comes as a challenge, and whatever the client says to it
		// is the end. RFC 7628 section 3.2.3.
		s.challenge(`{"status":"401","schemes":"Bearer","scope":"https://mail.example.com/"}`)
	}
	return err
}

// challenge sends a challenge and returns the answer.
func (s *session) challenge(text string) ([]byte, error) {
	s.line("+ " + base64.StdEncoding.EncodeToString([]byte(text)))
	if err := s.flush(); err != nil {
		return nil, err
	}
	if err := s.skipLine(); err != nil {
		return nil, err
	}
	line := strings.TrimRight(string(s.buf), "\r\n")
	if line == "*" {
		return nil, bad("cancelled")
	}
	answer, err := base64.StdEncoding.DecodeString(line)
	if err != nil {
		return nil, bad("this is not base64")
	}
	return answer, nil
}

// Credentials reads what a mechanism's client says first: PLAIN, XOAUTH2 or
// OAUTHBEARER.
func Credentials(mech, text string) (name, password string, ok bool) {
	switch mech {
	case "PLAIN": // RFC 4616
		part := strings.Split(text, "\x00")
		if len(part) != 3 || part[0] != "" && part[0] != part[1] {
			return "", "", false
		}
		return part[1], part[2], true
	case "XOAUTH2": // https://developers.google.com/workspace/gmail/imap/xoauth2-protocol
		fields := strings.Split(text, "\x01")
		if len(fields) != 4 || fields[2]+fields[3] != "" {
			return "", "", false
		}
		name, isUser := strings.CutPrefix(fields[0], "user=")
		token, isToken := cutFold(fields[1], "auth=Bearer ")
		return name, token, isUser && isToken
	case "OAUTHBEARER": // RFC 7628
		header, rest, _ := strings.Cut(text, "\x01")
		header, isName := strings.CutPrefix(header, "n,a=")
		for field := range strings.SplitSeq(rest, "\x01") {
			if token, isToken := cutFold(field, "auth=Bearer "); isToken {
				return strings.TrimSuffix(header, ","), token, isName
			}
		}
	}
	return "", "", false
}

func cutFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}
	return s[len(prefix):], true
}

// enable answers ENABLE. RFC 5161.
func (s *session) enable(a *args) error {
	var on []string
	for ok := true; ok; ok = a.take(' ') {
		name := a.atom()
		switch name {
		case "CONDSTORE", "QRESYNC", "UTF8=ACCEPT", "IMAP4REV2":
			if s.srv.has[name] && !s.enabled[name] {
				s.enabled[name] = true
				on = append(on, name)
			}
		}
	}
	if err := a.done(); err != nil {
		return err
	}
	s.line(strings.Join(append([]string{"* ENABLED"}, on...), " "))
	if s.on("QRESYNC") {
		s.useCondstore() // RFC 7162 section 3.2.3
	} else if s.on("CONDSTORE") {
		s.tellModSeq()
	}
	return nil
}
