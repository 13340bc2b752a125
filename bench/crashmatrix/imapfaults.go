package main

import "slices"

// effect is what happens at a fault.
type effect int

const (
	cut   effect = iota // the server hangs up
	crash               // the program is killed, by SIGKILL
	other               // another client does something
)

// imapFault is a row of the IMAP tables.
type imapFault struct {
	name  string
	best  string // what a program can do at best, if not everything
	note  string // what there is to say about the row
	modes []mode // nil means all

	before func(*imapServer) // before the first session
	act    func(*imapServer) // what another client does, if that is the effect
	after  func(*imapServer) // between the first session and the second

	at       string   // the command: STORE, or EXPUNGE or CLOSE after a STORE
	answered bool     // it is carried out, but not answered
	within   []string // or: when the server has said these words
	does     effect

	gone []string // tokens of what other clients remove
}

const deletedFlag = `\Deleted`

var (
	inMiddle = []string{middle("m2")}
	atEnd    = []string{end("m2"), "\r\n"} // with the line in which the literal is
)

const (
	foreignNote  = "Foreign: a message that another client had marked `\\Deleted` is gone from the server, by an EXPUNGE or CLOSE that names no messages. mbsync's manual says that `Expunge` does so. That a message which has just arrived goes too needs a server that looks for new mail first; ours does."
	validityNote = "A server that renumbers has made a mailbox of which nothing is known. Programs that stop there, with an error (postbag's `ErrRenumbered`, mbsync, offlineimap), leave what is new on the server until someone decides, and change nothing; that counts as well as fetching it. fetchmail goes by the flag `\\Seen` instead. offlineimap says that it stops, and then goes on: it removes the files of UIDs that are gone."
)

var imapFaults = []*imapFault{
	{name: "none"},
	{name: "connection cut within message 2", within: inMiddle, does: cut},
	{name: "kill -9 within message 2", within: inMiddle, does: crash},
	{name: "connection cut after message 2", within: atEnd, does: cut},
	{name: "kill -9 after message 2", within: atEnd, does: crash},
	{name: "connection cut at the first STORE", at: "STORE", does: cut},
	{name: "kill -9 at the first STORE", at: "STORE", does: crash},
	{name: "STORE carried out, connection cut before OK", at: "STORE", answered: true, does: cut},
	{name: "connection cut at the first EXPUNGE", modes: []mode{remove, follow}, at: "EXPUNGE", does: cut},
	{name: "kill -9 at the first EXPUNGE", modes: []mode{remove, follow}, at: "EXPUNGE", does: crash},
	{name: "EXPUNGE carried out, connection cut before OK", modes: []mode{remove, follow}, at: "EXPUNGE", answered: true, does: cut},
	{name: "EXPUNGE carried out, kill -9 before OK", modes: []mode{remove, follow}, at: "EXPUNGE", answered: true, does: crash},
	{name: "another client has marked its message \\Deleted before", before: func(i *imapServer) { i.deliver(foreign, deletedFlag) }, note: foreignNote},
	{name: "a message that another client marks \\Deleted arrives meanwhile", within: atEnd, does: other, act: func(i *imapServer) { i.deliver(foreign, deletedFlag) }, note: foreignNote},
	{name: "another client removes message 2 before it is sent", within: []string{end("m1"), "\r\n"}, does: other, gone: []string{"m2"}, act: func(i *imapServer) { i.expunge("m2") }},
	{name: "new UIDVALIDITY, same mail", modes: []mode{leave, follow}, after: (*imapServer).renumber},
	{name: "new UIDVALIDITY, one message gone, one new", modes: []mode{leave, follow}, best: "0/0/1", gone: []string{"m1"}, after: shifted, note: validityNote},
	{name: "new UIDVALIDITY, other mail under the same UIDs", best: "0/0/3", after: func(i *imapServer) { otherMail(i, 0) }, note: validityNote},
	{name: "new UIDVALIDITY, other mail under other UIDs", best: "0/0/3", gone: []string{"gone"}, after: func(i *imapServer) { otherMail(i, 10) }, note: validityNote},
}

// foreign is the token of a message that is another client's to delete.
const foreign = "foreign"

// otherMail puts a mailbox of other mail in the place of the INBOX. Its UIDs
// begin behind skip others.
func otherMail(i *imapServer, skip int) {
	i.expunge("")
	i.renumber()
	for range skip {
		i.deliver("gone")
	}
	i.expunge("")
	for _, token := range []string{"o1", "o2", "o3"} {
		i.deliver(token)
	}
}

// shifted gives every UID to another message.
func shifted(i *imapServer) {
	i.expunge("m1")
	i.renumber()
	i.deliver("o1")
}

// matters says whether a fault can be in a mode.
func (f *imapFault) matters(m mode) bool {
	return f.modes == nil || slices.Contains(f.modes, m)
}

// prelude says whether there has to be something to delete on the server
// first: in the mode follow, the user has deleted a message here.
func (f *imapFault) prelude(m mode) bool { return m == follow && f.at != "" }
