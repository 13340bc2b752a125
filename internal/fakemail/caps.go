package fakemail

import (
	"slices"
	"strings"
)

// When a capability is told of.
const (
	before = 1 << iota // authentication
	after
	always = before | after
)

type capability struct {
	name string
	when int
}

// capabilities are what each profile has, in its order. What a session does
// with "has" is switched off with the name.
var capabilities = map[Profile][]capability{
	Standard: {
		{"IMAP4rev1", always}, {"IMAP4rev2", always}, {"LITERAL+", always}, {"LITERAL-", always}, {"SASL-IR", always},
		{"ID", always}, {"ENABLE", always}, {"STARTTLS", before}, {"LOGINDISABLED", before},
		{"AUTH=PLAIN", before}, {"AUTH=XOAUTH2", before}, {"AUTH=OAUTHBEARER", before},
		{"IDLE", after}, {"NAMESPACE", after}, {"UNSELECT", after}, {"UIDPLUS", after}, {"MOVE", after},
		{"CHILDREN", after}, {"LIST-EXTENDED", after}, {"LIST-STATUS", after}, {"SPECIAL-USE", after}, {"CREATE-SPECIAL-USE", after},
		{"STATUS=SIZE", after}, {"ESEARCH", after}, {"SEARCHRES", after}, {"CONDSTORE", after}, {"QRESYNC", after},
		{"COMPRESS=DEFLATE", after}, {"BINARY", after}, {"OBJECTID", after}, {"UTF8=ACCEPT", after}, {"APPENDLIMIT", after},
	},
	// Of what the real one offers, this leaves out QUOTA, XLIST and XYZZY.
	// MailKit's recorded session gmail-client-SaslIRAuthentication.
	Gmail: {
		{"IMAP4rev1", always}, {"UNSELECT", always}, {"IDLE", always}, {"NAMESPACE", always}, {"ID", always},
		{"CHILDREN", always}, {"X-GM-EXT-1", always}, {"SASL-IR", before}, {"STARTTLS", before}, {"LOGINDISABLED", before},
		{"AUTH=XOAUTH2", before}, {"AUTH=PLAIN", before}, {"AUTH=OAUTHBEARER", before},
		{"UIDPLUS", after}, {"COMPRESS=DEFLATE", after}, {"ENABLE", after}, {"MOVE", after}, {"CONDSTORE", after},
		{"ESEARCH", after}, {"UTF8=ACCEPT", after}, {"LIST-EXTENDED", after}, {"LIST-STATUS", after}, {"LITERAL-", after},
		{"SPECIAL-USE", after}, {"APPENDLIMIT", after},
	},
	// MailKit's recorded session exchange-client-ExchangeUserIsAuthenticatedButNotConnected.
	Exchange: {
		{"IMAP4", always}, {"IMAP4rev1", always}, {"AUTH=PLAIN", always}, {"AUTH=XOAUTH2", always},
		{"STARTTLS", before}, {"LOGINDISABLED", before}, {"SASL-IR", always}, {"UIDPLUS", always}, {"MOVE", after}, {"ID", always},
		{"UNSELECT", always}, {"CHILDREN", always}, {"IDLE", always}, {"NAMESPACE", always}, {"LITERAL+", always},
	},
}

// needs is what a capability is nothing without. Those of IMAP4rev2 are what
// it has taken in: RFC 9051 appendix E.
var needs = map[string][]string{
	"QRESYNC":     {"CONDSTORE", "ENABLE"},
	"LIST-STATUS": {"LIST-EXTENDED"},
	"SEARCHRES":   {"ESEARCH"},
	"UTF8=ACCEPT": {"ENABLE"},
	"IMAP4REV2": {
		"NAMESPACE", "UNSELECT", "UIDPLUS", "ESEARCH", "SEARCHRES", "ENABLE", "IDLE", "SASL-IR",
		"LIST-EXTENDED", "LIST-STATUS", "MOVE", "LITERAL-", "BINARY", "SPECIAL-USE", "STATUS=SIZE",
	},
}

// Capabilities returns the names that a server can be without, in upper case,
// whichever profile has them. "LOGIN" is the command: without it there is
// LOGINDISABLED.
func Capabilities() []string {
	names := []string{"LOGIN"}
	for _, list := range capabilities {
		for _, c := range list {
			n := strings.ToUpper(c.name)
			if n != "LOGINDISABLED" && n != "IMAP4REV1" && n != "IMAP4" && !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
	}
	return names
}

// offered returns what a profile has, in upper case, without some.
func offered(p Profile, without []string) map[string]bool {
	has := make(map[string]bool)
	off := func(name string) bool {
		return slices.ContainsFunc(without, func(w string) bool { return strings.EqualFold(w, name) })
	}
	for _, c := range capabilities[p] {
		if name := strings.ToUpper(c.name); !off(name) {
			has[name] = true
		}
	}
	delete(has, "LOGINDISABLED")
	has["LOGIN"] = !off("LOGIN")
	for name, all := range needs {
		for _, need := range all {
			if off(need) {
				delete(has, name)
			}
		}
	}
	return has
}

// capabilityList is the list as a session is told it now.
func (s *session) capabilityList() string {
	when := before
	if s.user != nil {
		when = after
	}
	var list []string
	for _, c := range capabilities[s.srv.store.profile] {
		name := strings.ToUpper(c.name)
		show := c.when&when != 0 && s.srv.has[name]
		switch {
		case name == "STARTTLS":
			show = show && s.canStartTLS()
		case name == "LOGINDISABLED":
			show = when == before && !(s.srv.has["LOGIN"] && s.mayLogIn())
		case strings.HasPrefix(name, "AUTH="):
			show = show && s.mayLogIn()
		case name == "LITERAL-":
			show = show && !s.srv.has["LITERAL+"] // RFC 7888 section 5
		case name == "APPENDLIMIT":
			c.name += "=67108864" // maxLiteral
		}
		if show {
			list = append(list, c.name)
		}
	}
	return strings.Join(list, " ")
}
