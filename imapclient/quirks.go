package imapclient

import "strings"

// quirk is a way in which one kind of server differs from all others, so that
// it has to be known by name. Most of what servers do wrong is not here: what
// can be taken from any server is taken from any, on the line that reads it
// (see the comments that begin with QUIRK).
type quirk struct {
	name string
	says []string // in the greeting or the answer to ID, in lower case; one of them is enough
	all  string   // the greeting, if it says no more than that
	has  string   // a capability that tells as much
	is   trait
}

// trait is what a quirk changes.
type trait uint

const (
	// wantsName: a client without a name may open no mailbox, so ID is sent
	// after login.
	wantsName trait = 1 << iota

	// noNamespace: the connection ends at NAMESPACE, so it is not sent.
	noNamespace

	// innerParts: a part of a message within a message is not to be had by its
	// number, and is taken from all of that message. What another server loses by
	// that is time.
	innerParts
)

// quirks are all that are known. Each has a session in testdata/quirks that
// shows it; that of the last is testdata/sessions/mailutils-parts.txt.
var quirks = []quirk{
	{name: "Coremail (163, 126, yeah.net)", says: []string{"coremail", "netease"}, has: "X-CM-EXT-1", is: wantsName},
	{name: "QQ Mail", says: []string{"qqmail", "qq mail"}, is: wantsName},
	{name: "Exchange 2003", says: []string{"microsoft exchange server 2003"}, is: noNamespace},
	{name: "GNU Mailutils", says: []string{"mailutils"}, all: "* OK IMAP4rev1", is: innerParts},
}

// recognise adds the traits of a server that says text of itself.
func (c *Client) recognise(text string) {
	for _, q := range quirks {
		if q.all != "" && text == q.all {
			c.traits |= q.is
		}
	}
	text = strings.ToLower(text)
	for _, q := range quirks {
		for _, s := range q.says {
			if strings.Contains(text, s) {
				c.traits |= q.is
			}
		}
	}
}

// is tells whether the server has a trait.
func (c *Client) is(t trait) bool {
	for _, q := range quirks {
		if q.has != "" && q.is&t != 0 && c.caps.Has(q.has) {
			return true
		}
	}
	return c.traits&t != 0
}
