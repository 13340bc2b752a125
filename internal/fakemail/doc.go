// Package fakemail is a mail store in memory and an IMAP server over it, for
// tests. [Store] holds users, their mailboxes and messages, and is acted on by
// the test as by another client; [Server] speaks IMAP4rev1 and rev2 with the
// extensions that clients synchronise by (CONDSTORE, QRESYNC, UIDPLUS, MOVE,
// IDLE, ESEARCH and more); [Store.Open] is the POP3 side, for package
// pop3server. Every octet of a message comes back as it was delivered.
//
// # Locks
//
// One lock, the store's, guards every mailbox, so that a copy or a move is one
// step. Nobody holds it while writing to a client: a command takes what it
// needs under the lock and answers after it, and what happened meanwhile is
// told at its end (see view.go).
package fakemail
