package relay

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strconv"
	"strings"
	"time"

	"example.com/postbag/retrieval"
)

// inherited are the variables that a program gets of this process if nothing
// else is asked for.
var inherited = []string{"PATH", "HOME", "LANG", "TZ"}

// environ returns a program's environment: what it inherits, what it is given
// and what is known of the message, the later over the earlier.
func environ(names, given []string, m *retrieval.Message) []string {
	if names == nil {
		names = inherited
	}
	var env []string
	for _, name := range names {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	env = append(env, given...)
	var flags []string
	for _, f := range m.Flags {
		flags = append(flags, strings.ReplaceAll(encode(string(f)), ",", "%2C"))
	}
	received := ""
	if !m.Received.IsZero() {
		received = m.Received.UTC().Format(time.RFC3339)
	}
	redelivery := "0"
	if m.Redelivery {
		redelivery = "1"
	}
	return append(env,
		"POSTBAG_ACCOUNT="+harmless(m.Box.Account),
		"POSTBAG_MAILBOX="+harmless(m.Box.Mailbox),
		"POSTBAG_UID="+harmless(string(m.UID)),
		"POSTBAG_FLAGS="+bounded(strings.Join(flags, ",")),
		"POSTBAG_SIZE="+strconv.FormatInt(m.Size, 10),
		"POSTBAG_RECEIVED="+received,
		"POSTBAG_REDELIVERY="+redelivery,
	)
}

const maxValue = 1 << 10

// harmless makes a server's octets fit for a shell that quotes nothing, and
// for an environment.
func harmless(s string) string { return bounded(encode(s)) }

const digits = "0123456789ABCDEF"

// encode writes all but a few characters of ASCII as %XX.
func encode(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("@.,_+:/-", c) >= 0 {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}

// bounded replaces the end of what is too long by a tilde and the hash of all
// of it, so that different names stay different.
func bounded(s string) string {
	if len(s) <= maxValue {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return s[:maxValue-2*len(sum)-1] + "~" + hex.EncodeToString(sum[:])
}
