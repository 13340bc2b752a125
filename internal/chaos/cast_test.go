package chaos_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

const (
	password = "correct horse"
	kept     = 5               // by those who keep the last ones
	after    = 2 * time.Second // by those who delete after a while
	got      = "$Got"
)

// isForeign tells by its size whether a message is none of the accounts'
// business. Their filters say so.
func isForeign(size int64) bool { return size%8 == 5 }

// role is what an account is like. Accounts of the same folder share a sink.
type role struct {
	name      string
	protocol  retrieval.Protocol
	policy    retrieval.Policy
	mailboxes []string
	after     retrieval.After
	upstream  retrieval.Upstream
	folder    string // empty: one of its own
	tree      bool   // the folder is a Maildir++
}

// syncs tells whether the account's copies follow the server.
func (r *role) syncs() bool { return r.folder != "shared" && r.folder != "boxes" }

var roles = []role{
	{name: "pop3 delete", protocol: retrieval.POP3, policy: retrieval.DownloadAndDelete, folder: "shared"},
	{name: "imap sync both ways", protocol: retrieval.IMAP, policy: retrieval.ServerSync,
		upstream: retrieval.Upstream{Flags: true, Removals: true}},
	{name: "imap delete", protocol: retrieval.IMAP, policy: retrieval.DownloadAndDelete, folder: "shared"},
	{name: "imap sync", protocol: retrieval.IMAP, policy: retrieval.ServerSync, folder: "mirror"},
	{name: "pop3 leave", protocol: retrieval.POP3, policy: retrieval.LeaveOnServer, folder: "shared"},
	{name: "imap mailboxes sync both ways", protocol: retrieval.IMAP, policy: retrieval.ServerSync, mailboxes: []string{"INBOX", "Work"},
		upstream: retrieval.Upstream{Flags: true, Removals: true}, folder: "tree", tree: true},
	{name: "pop3 keep the last", protocol: retrieval.POP3, policy: retrieval.KeepLast(kept), folder: "shared"},
	{name: "imap leave and mark", protocol: retrieval.IMAP, policy: retrieval.LeaveOnServer, folder: "shared",
		after: retrieval.After{Flags: []retrieval.Flag{got}}},
	{name: "imap mailboxes delete", protocol: retrieval.IMAP, policy: retrieval.DownloadAndDelete, mailboxes: []string{"INBOX", "Work"},
		folder: "boxes", tree: true},
	{name: "pop3 delete after", protocol: retrieval.POP3, policy: retrieval.DeleteAfter(after), folder: "shared"},
	{name: "imap sync both ways, trash", protocol: retrieval.IMAP, policy: retrieval.ServerSync,
		upstream: retrieval.Upstream{Flags: true, Removals: true, Trash: "Trash"}},
	{name: "imap keep the last", protocol: retrieval.IMAP, policy: retrieval.KeepLast(kept), folder: "shared"},
	{name: "imap delete after", protocol: retrieval.IMAP, policy: retrieval.DeleteAfter(after), folder: "shared"},
}

// task is what a child is to do.
type task struct {
	Accounts   int
	POP3, IMAP int    // ports
	CAFile     string // of the server's authority
	Dir        string
}

func userOf(i int) string { return fmt.Sprintf("user%02d", i) }

func roleOf(i int) *role { return &roles[i%len(roles)] }

// folderOf is where an account's messages go.
func (t *task) folderOf(i int) string {
	if f := roleOf(i).folder; f != "" {
		return filepath.Join(t.Dir, f)
	}
	return filepath.Join(t.Dir, userOf(i))
}

// account is the ith account. One in five uses TLS.
func (t *task) account(i int) (retrieval.Account, error) {
	r := roleOf(i)
	a := retrieval.Account{
		Protocol: r.protocol, Host: "127.0.0.1", Port: t.IMAP, Security: retrieval.Plaintext,
		User: userOf(i), Password: func(context.Context) (string, error) { return password, nil }, Name: userOf(i),
		Policy: r.policy, Mailboxes: r.mailboxes, After: r.after, Upstream: r.upstream,
		StallTimeout: 3 * time.Second, NewestFirst: i%4 == 1,
	}
	a.Filter.Summary = func(s retrieval.Summary) bool { return !isForeign(s.Size) }
	if r.protocol == retrieval.POP3 {
		a.Port = t.POP3
	}
	if i%5 == 3 {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return a, err
		}
		a.Security, a.TLSConfig = retrieval.StartTLS, &tls.Config{RootCAs: x509.NewCertPool()}
		a.TLSConfig.RootCAs.AppendCertsFromPEM(pem)
	}
	return a, nil
}

// open opens the sink of a folder.
func (r *role) open(dir string) (retrieval.Sink, error) {
	if r.tree {
		return disk.OpenMaildirPlus(dir, nil)
	}
	return disk.OpenMaildir(dir)
}
