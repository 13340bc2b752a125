package session

import (
	"bytes"
	"encoding/base64"
	"regexp"
	"slices"
	"strings"
)

// secrets knows where in a conversation the secrets are, and hides them. The
// number of octets stays the same where the server speaks.
type secrets struct {
	mask bool
	imap bool // else POP3; known from the greeting

	told bool // the greeting has been heard

	// of the client
	inAuth  bool   // what the client says belongs to an exchange that authenticates
	authTag string // IMAP: the tag of that command
	upload  int64  // octets of a message that are still to come

	known [][]byte // secrets heard, which the server might repeat

	// of the server
	literal int64    // octets of a literal that are still to come
	multi   bool     // POP3: within a message
	pending []string // POP3: commands that are not answered yet
}

func newSecrets(mask bool) *secrets { return &secrets{mask: mask} }

var hidden = []byte("***")

// leftOut splits a line of the client's into what is not to be told, of a
// message that it sends, and the rest.
func (s *secrets) leftOut(line []byte) (message int64, rest []byte) {
	if !s.mask {
		return 0, line
	}
	message = min(s.upload, int64(len(line)))
	s.upload -= message
	return message, line[message:]
}

// client returns a line of the client's without its secrets.
func (s *secrets) client(line []byte) []byte {
	text := strings.TrimRight(string(line), "\r\n")
	end := line[len(text):]
	if s.upload > 0 { // APPEND
		s.upload -= min(s.upload, int64(len(line)))
		return line
	}
	if s.inAuth {
		if text == "*" {
			return line
		}
		s.learn(text)
		return append(bytes.Clone(hidden), end...)
	}
	var kept string
	if s.imap {
		kept = s.imapCommand(text)
	} else {
		kept = s.pop3Command(text)
	}
	if s.mask {
		kept = string(maskAddresses([]byte(kept)))
	}
	return append([]byte(kept), end...)
}

func (s *secrets) imapCommand(text string) string {
	tag, rest, _ := strings.Cut(text, " ")
	command, args, _ := strings.Cut(rest, " ")
	switch strings.ToUpper(command) {
	case "LOGIN":
		s.inAuth, s.authTag = true, tag
		user, password := loginArgs(args)
		if password == "" { // a literal follows, and is hidden with all that follows it
			if i := strings.LastIndexByte(args, '{'); i >= 0 && s.mask {
				return tag + " " + command + " " + args[i:]
			}
			return text
		}
		s.learn(unquote(password))
		if s.mask {
			user = "***"
		}
		return tag + " " + command + " " + user + " ***"
	case "APPEND":
		s.upload = max(literalLength([]byte(text)), 0)
	case "AUTHENTICATE":
		s.inAuth, s.authTag = true, tag
		if mechanism, initial, ok := strings.Cut(args, " "); ok {
			s.learn(initial)
			return tag + " " + command + " " + mechanism + " ***"
		}
	}
	return text
}

// loginArgs splits `"joe" "secret"`. The password is empty if it, or the user,
// is a literal that is still to come.
func loginArgs(args string) (user, password string) {
	i := 0
	if strings.HasPrefix(args, `"`) {
		for i = 1; i < len(args) && args[i] != '"'; i++ {
			if args[i] == '\\' {
				i++
			}
		}
		i++
	} else {
		i = strings.IndexByte(args, ' ')
	}
	if i < 0 || i >= len(args) {
		return args, ""
	}
	user, password = args[:i], strings.TrimPrefix(args[i:], " ")
	if strings.HasPrefix(password, "{") && strings.HasSuffix(password, "}") {
		return user, ""
	}
	return user, password
}

func unquote(s string) string {
	if !strings.HasPrefix(s, `"`) {
		return s
	}
	s = strings.TrimSuffix(s[1:], `"`)
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(s)
}

func (s *secrets) pop3Command(text string) string {
	command, args, hasArgs := strings.Cut(text, " ")
	verb := strings.ToUpper(command)
	s.pending = append(s.pending, verb)
	switch {
	case verb == "PASS":
		s.learn(args)
		return command + " ***"
	case verb == "APOP":
		user, _, _ := strings.Cut(args, " ")
		if s.mask {
			user = "***"
		}
		return command + " " + user + " ***"
	case verb == "USER" && s.mask:
		return command + " ***"
	case verb == "AUTH" && hasArgs:
		s.inAuth = true
		if mechanism, initial, ok := strings.Cut(args, " "); ok {
			s.learn(initial)
			return command + " " + mechanism + " ***"
		}
	}
	return text
}

// learn remembers a secret, and what it holds in base64.
func (s *secrets) learn(secret string) {
	const shortest = 4 // shorter ones are found everywhere
	add := func(b []byte) {
		if len(b) >= shortest {
			s.known = append(s.known, bytes.Clone(b))
		}
	}
	add([]byte(secret))
	if decoded, err := base64.StdEncoding.DecodeString(secret); err == nil {
		add(decoded)
		if i := bytes.LastIndexByte(decoded, 0); i >= 0 { // PLAIN: RFC 4616
			add(decoded[i+1:])
		}
		for part := range bytes.SplitSeq(decoded, []byte{1}) { // XOAUTH2, OAUTHBEARER: RFC 7628
			if token, ok := bytes.CutPrefix(part, []byte("auth=Bearer ")); ok {
				add(token)
			}
		}
	}
}

// server returns a line of the server's without secrets.
func (s *secrets) server(line []byte) []byte {
	if !s.told {
		s.told = true
		s.imap = bytes.HasPrefix(line, []byte("* "))
		s.pending = []string{"greeting"}
	}
	for _, k := range s.known {
		line = bytes.ReplaceAll(line, k, bytes.Repeat([]byte("*"), len(k)))
	}
	if s.inAuth && s.secretChallenge(line) {
		line = bytes.Clone(line)
		for i := len("+ "); i < len(line) && line[i] > ' '; i++ {
			line[i] = '*'
		}
	}
	var private int
	if s.imap {
		private = s.imapData(line)
	} else if s.pop3Data(line) {
		private = len(line)
	}
	if s.inAuth && s.ends(line) {
		s.inAuth = false
	}
	if !s.mask {
		return line
	}
	open := line[private:]
	if s.imap && fetchLine.Match(open) {
		open = maskQuoted(open)
	}
	return append(maskAll(line[:private]), maskAddresses(open)...)
}

// secretChallenge tells whether a line is a challenge that holds a secret, or
// SCRAM's v=: passwords can be tried on it (RFC 5802 section 3).
func (s *secrets) secretChallenge(line []byte) bool {
	text, ok := bytes.CutPrefix(line, []byte("+ "))
	challenge, err := base64.StdEncoding.DecodeString(string(text)) // which passes over the line's end
	if !ok || err != nil {
		return false
	}
	return bytes.HasPrefix(challenge, []byte("v=")) || slices.ContainsFunc(s.known, func(k []byte) bool { return bytes.Contains(challenge, k) })
}

// ends tells whether a line ends the exchange that authenticates.
func (s *secrets) ends(line []byte) bool {
	if s.imap {
		return bytes.HasPrefix(line, []byte(s.authTag+" "))
	}
	return bytes.HasPrefix(line, []byte("+OK")) || bytes.HasPrefix(line, []byte("-ERR"))
}

// imapData returns how many octets at the beginning of a line are within a
// literal.
func (s *secrets) imapData(line []byte) (inside int) {
	inside = int(min(s.literal, int64(len(line))))
	s.literal -= int64(inside)
	if open := line[inside:]; len(open) > 0 && !statusLine.Match(open) {
		s.literal = max(literalLength(open), 0)
	}
	return inside
}

// pop3Data tells whether a line is within a message.
func (s *secrets) pop3Data(line []byte) bool {
	if s.multi {
		if string(line) == ".\r\n" {
			s.multi = false
			return false
		}
		return true
	}
	if len(s.pending) == 0 || !bytes.HasPrefix(line, []byte("+OK")) && !bytes.HasPrefix(line, []byte("-ERR")) {
		return false // a line of a list, or a challenge
	}
	verb := s.pending[0]
	s.pending = s.pending[1:]
	s.multi = (verb == "RETR" || verb == "TOP") && line[0] == '+'
	return false
}

var (
	fetchLine  = regexp.MustCompile(`^\* \d+ FETCH `)
	statusLine = regexp.MustCompile(`(?i)^(\S+) (OK|NO|BAD|BYE|PREAUTH) `)
	address    = regexp.MustCompile(`[^\s<>"(){}\[\],;:=]+@[^\s<>"(){}\[\],;]+`)
	quotedPart = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	dateTime   = regexp.MustCompile(`^"[ \d]\d-[A-Z][a-z]{2}-\d{4} `)
)

// maskAll hides what can be read, and keeps the form: every letter and every
// octet beyond ASCII becomes x, every digit 9.
func maskAll(line []byte) []byte {
	masked := bytes.Clone(line)
	for i, ch := range masked {
		switch {
		case ch >= '0' && ch <= '9':
			masked[i] = '9'
		case ch >= 'a' && ch <= 'z' || ch >= 'A' && ch <= 'Z' || ch >= 0x80:
			masked[i] = 'x'
		}
	}
	return masked
}

func maskAddresses(line []byte) []byte { return address.ReplaceAllFunc(line, maskAll) }

// maskQuoted hides the quoted strings of a FETCH response, but not its date.
func maskQuoted(line []byte) []byte {
	return quotedPart.ReplaceAllFunc(line, func(q []byte) []byte {
		if dateTime.Match(q) {
			return q
		}
		return maskAll(q)
	})
}
