package imapclient

import "strings"

// product is what a server is, as far as it matters: servers that need to be
// treated in a way of their own. It is recognised by the greeting or by what
// the server says to ID.
type product string

// The products, each with what is done for it.
const (
	// coremail (163.com, 126.com, yeah.net, QQ): ID is sent after login.
	coremail product = "coremail"

	// mailutils (GNU Mailutils imap4d): parts of a message within a message are
	// taken from all of that.
	mailutils product = "mailutils"
)

// marks are what products are recognised by, in lower case.
var marks = []struct {
	mark string
	product
}{
	{"coremail", coremail},
	{"qqmail", coremail},
	{"qq mail", coremail},
	{"netease", coremail},
	{"mailutils", mailutils},
}

// recognise returns the product that text tells of, or none.
func recognise(text string) product {
	if text == "* OK IMAP4rev1" { // and no more: who else says that loses nothing
		return mailutils
	}
	text = strings.ToLower(text)
	for _, m := range marks {
		if strings.Contains(text, m.mark) {
			return m.product
		}
	}
	return ""
}
