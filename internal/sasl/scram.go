package sasl

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"strconv"
	"strings"

	"example.com/postbag/internal/transport"
)

// scram is SCRAM (RFC 5802, RFC 7677), with channel binding if the name ends
// in -PLUS. Both sides prove that they know the password, or what is made of
// it, without showing it.
//
// The password is used as it is given. RFC 5802 asks for SASLprep, which
// changes nothing in ASCII; beyond it, give what the server was given, in NFKC.
type scram struct {
	name string
	hash func() hash.Hash
	c    *Credentials
	gs2  string // RFC 5801 section 4
	bind []byte

	// again: if the proof is refused, the binding may be at fault, and SCRAM
	// without it is worth a try. Nothing weaker is: whoever refused the
	// binding may be in the middle, and would be shown the password.
	again bool

	step      int
	nonce     string
	firstBare string
	signature []byte // what the server has to send
	verified  bool
	detail    error
	final     bool
}

// Bounds on the number of iterations. A server that asks for less wants the
// proof to be easily guessed from (RFC 7677 section 4); one that asks for more
// wants this side to be busy.
const (
	minIterations = 4096
	maxIterations = 2_000_000
)

func scramKind(name string) string {
	switch {
	case !strings.HasPrefix(name, "SCRAM-"):
		return ""
	case strings.HasSuffix(name, "-PLUS"):
		return "bound"
	}
	return "unbound"
}

func newSCRAM(name string, offered []string, c *Credentials) Mechanism {
	m := &scram{name: name, c: c}
	plain, plus := strings.CutSuffix(name, "-PLUS")
	switch plain {
	case "SCRAM-SHA-256":
		m.hash = sha256.New
	case "SCRAM-SHA-1":
		m.hash = sha1.New
	}
	b := bindingOf(c.TLS)
	if m.hash == nil || c.Password == "" || plus && b == nil {
		return nil
	}
	flag := "n"
	switch {
	case plus:
		flag, m.bind = "p="+b.name, b.data
		m.again = contains(offered, "SCRAM-SHA-256") || contains(offered, "SCRAM-SHA-1")
	case b != nil && !contains(offered, "SCRAM-SHA-256-PLUS") && !contains(offered, "SCRAM-SHA-1-PLUS"):
		flag = "y" // lets a server that did offer it notice that someone took it away
	}
	identity := ""
	if c.Identity != "" {
		identity = "a=" + saslName(c.Identity)
	}
	m.gs2 = flag + "," + identity + ","
	return m
}

func (m *scram) Name() string { return m.name }

func (m *scram) Start() ([]byte, error) {
	m.nonce = randomNonce()
	if m.c.Nonce != nil {
		m.nonce = m.c.Nonce()
	}
	m.firstBare = "n=" + saslName(m.c.User) + ",r=" + m.nonce
	return []byte(m.gs2 + m.firstBare), nil
}

func randomNonce() string {
	var b [18]byte
	rand.Read(b[:])
	return base64.StdEncoding.EncodeToString(b[:])
}

func (m *scram) Next(challenge []byte) ([]byte, error) {
	switch m.step++; m.step {
	case 1:
		return m.clientFinal(string(challenge))
	case 2:
		return []byte{}, m.serverFinal(string(challenge))
	}
	return nil, m.distrust("a third challenge")
}

func (m *scram) distrust(format string, args ...any) error {
	return transport.Mark(transport.ErrProtocol, fmt.Errorf("sasl: "+m.name+": "+format, args...))
}

// clientFinal answers the server's first message with the proof. RFC 5802
// section 3.
func (m *scram) clientFinal(first string) ([]byte, error) {
	nonce, salt, iterations, err := m.parseFirst(first)
	if err != nil {
		return nil, err
	}
	salted, err := pbkdf2.Key(m.hash, m.c.Password, salt, iterations, m.hash().Size())
	if err != nil {
		return nil, fmt.Errorf("sasl: %s: %w", m.name, err)
	}
	channel := base64.StdEncoding.EncodeToString(append([]byte(m.gs2), m.bind...))
	withoutProof := "c=" + channel + ",r=" + nonce
	message := m.firstBare + "," + first + "," + withoutProof

	clientKey := m.mac(salted, "Client Key")
	stored := m.hash()
	stored.Write(clientKey)
	proof := m.mac(stored.Sum(nil), message)
	for i := range proof {
		proof[i] ^= clientKey[i]
	}
	m.signature = m.mac(m.mac(salted, "Server Key"), message)
	m.final = !m.again
	return []byte(withoutProof + ",p=" + base64.StdEncoding.EncodeToString(proof)), nil
}

func (m *scram) parseFirst(first string) (nonce string, salt []byte, iterations int, err error) {
	f := strings.Split(first, ",")
	if strings.HasPrefix(first, "e=") {
		return "", nil, 0, m.failed(f[0][2:])
	}
	if len(f) < 3 || !strings.HasPrefix(f[0], "r=") || !strings.HasPrefix(f[1], "s=") || !strings.HasPrefix(f[2], "i=") {
		return "", nil, 0, m.distrust("%.200q is no first message", first) // that covers m=, which must not be passed over
	}
	nonce = f[0][2:]
	if !strings.HasPrefix(nonce, m.nonce) || len(nonce) == len(m.nonce) {
		return "", nil, 0, m.distrust("the server's nonce does not go on from ours")
	}
	salt, err = base64.StdEncoding.DecodeString(f[1][2:])
	if err != nil || len(salt) == 0 {
		return "", nil, 0, m.distrust("%.200q has no salt", first)
	}
	iterations, err = strconv.Atoi(f[2][2:])
	if err != nil || iterations < minIterations || iterations > maxIterations {
		return "", nil, 0, m.distrust("%.30q iterations, want %d to %d", f[2][2:], minIterations, maxIterations)
	}
	return nonce, salt, iterations, nil
}

// serverFinal checks the server's proof. RFC 5802 section 3.
func (m *scram) serverFinal(last string) error {
	attr, _, _ := strings.Cut(last, ",")
	if reason, ok := strings.CutPrefix(attr, "e="); ok {
		return m.failed(reason)
	}
	v, ok := strings.CutPrefix(attr, "v=")
	signature, err := base64.StdEncoding.DecodeString(v)
	if !ok || err != nil || !hmac.Equal(signature, m.signature) {
		return m.distrust("the server does not know the password either: its signature is wrong")
	}
	m.verified = true
	return nil
}

// failed keeps what the server says went wrong. RFC 5802 section 7.
func (m *scram) failed(reason string) error {
	m.detail = fmt.Errorf("sasl: %s: the server says %.100q", m.name, reason)
	switch reason {
	case "invalid-proof", "unknown-user":
		m.final = true
		m.detail = transport.Mark(transport.ErrAuth, m.detail)
	}
	return m.detail
}

func (m *scram) Done() error {
	if !m.verified {
		return m.distrust("success without the server's signature")
	}
	return nil
}

func (m *scram) Refused() (bool, error) { return m.final, m.detail }

func (m *scram) mac(key []byte, message string) []byte {
	h := hmac.New(m.hash, key)
	h.Write([]byte(message))
	return h.Sum(nil)
}
