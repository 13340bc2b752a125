package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// mode is what a program is told to do with the mail.
type mode string

const (
	remove mode = "delete" // download and delete
	leave  mode = "keep"   // download and leave on the server
	follow mode = "sync"   // keep the folder like the mailbox, both ways if it can
)

// program is a column.
type program struct {
	name       string
	executable string // empty: postbag's own
	pkg        string // Debian's
	options    string // those that matter here
	does       []string
	flaw       string // words of a failure that it has now and then without a fault: the run does not count
	setup      func(p place) (args []string, err error)
}

// place is where a program runs, and against what.
type place struct {
	*lab
	dir      string // its own
	port     int
	protocol string // pop3 or imap
	mode     mode
}

func (p place) mail() string { return filepath.Join(p.dir, "mail") }

// can says whether a program has a table's protocol and mode.
func (p *program) can(t *table) bool {
	return slices.Contains(p.does, t.protocol+" "+string(t.mode))
}

// version says which one is installed.
func (p *program) version() string {
	if p.executable == "" {
		return "of this tree"
	}
	out, err := exec.Command("dpkg-query", "-W", "-f", "${Version}", p.pkg).Output()
	if err != nil {
		return "of unknown version"
	}
	return string(out)
}

// getmailFlaw: getmail delivers in a child process, and sometimes misses that
// it has ended.
const getmailFlaw = "waiting child pid"

var programs = []*program{
	{name: "postbag", options: "`mailget -policy delete`, `leave` or `sync -both`, `-to maildir:mail -ledger ledger -retry 3`",
		does: []string{"pop3 delete", "pop3 keep", "imap delete", "imap keep", "imap sync"}, setup: postbag},
	{name: "fetchmail", executable: "fetchmail", pkg: "fetchmail", options: "`uidl` (POP3), `mda` a program that writes and fsyncs a Maildir",
		does: []string{"pop3 delete", "pop3 keep", "imap delete", "imap keep"}, setup: fetchmail("")},
	{name: "fetchmail, expunge 1", executable: "fetchmail", pkg: "fetchmail", options: "the same, with `expunge 1`, which its manual calls a good defence against line drops",
		does: []string{"pop3 delete", "imap delete"}, setup: fetchmail("expunge 1")},
	{name: "getmail", executable: "getmail", pkg: "getmail6", options: "`delete` as the mode is, `read_all = false`",
		flaw: getmailFlaw,
		does: []string{"pop3 delete", "pop3 keep", "imap delete", "imap keep"}, setup: getmail("")},
	{name: "getmail, each mail", executable: "getmail", pkg: "getmail6", options: "the same, with `to_oldmail_on_each_mail = true`",
		flaw: getmailFlaw,
		does: []string{"pop3 delete", "pop3 keep", "imap delete", "imap keep"}, setup: getmail("to_oldmail_on_each_mail = true\n")},
	{name: "mpop", executable: "mpop", pkg: "mpop", options: "`delivery maildir`, `pipelining auto` (the default)",
		does: []string{"pop3 delete", "pop3 keep"}, setup: mpop("auto")},
	{name: "mpop, one by one", executable: "mpop", pkg: "mpop", options: "the same, with `pipelining off`",
		does: []string{"pop3 delete", "pop3 keep"}, setup: mpop("off")},
	{name: "mbsync", executable: "mbsync", pkg: "isync", options: "`Sync All`, `Expunge Both`",
		does: []string{"imap sync"}, setup: mbsync("All", "Both")},
	{name: "mbsync, pull only", executable: "mbsync", pkg: "isync", options: "`Sync Pull`, `Expunge Near`",
		does: []string{"imap sync"}, setup: mbsync("Pull", "Near")},
	{name: "offlineimap", executable: "offlineimap", pkg: "offlineimap3", options: "defaults: both ways, `expunge = yes`",
		does: []string{"imap sync"}, setup: offlineimap},
}

func (p place) write(name, format string, args ...any) (string, error) {
	path := filepath.Join(p.dir, name)
	return path, os.WriteFile(path, fmt.Appendf(nil, format, args...), 0o600)
}

// maildir makes one, for those that do not.
func (p place) maildir() error {
	for _, sub := range []string{"cur", "new", "tmp"} {
		if err := os.MkdirAll(filepath.Join(p.mail(), sub), 0o700); err != nil {
			return err
		}
	}
	return nil
}

func postbag(p place) ([]string, error) {
	secret, err := p.write("password", "%s\n", password)
	policy := map[mode]string{remove: "delete", leave: "leave", follow: "sync"}[p.mode]
	args := []string{p.mailget, "-plaintext", "-password-file", secret, "-policy", policy, "-to", "maildir:" + p.mail(), "-ledger", filepath.Join(p.dir, "ledger"), "-retry", "3", "-progress", "never",
		fmt.Sprintf("%s://%s@127.0.0.1:%d", p.protocol, user, p.port)}
	if p.mode == follow {
		args = append(args, "-both")
	}
	return args, err
}

func fetchmail(more string) func(place) ([]string, error) {
	return func(p place) ([]string, error) {
		kept := map[mode]string{remove: "nokeep", leave: "keep"}[p.mode]
		uidl := map[string]string{"pop3": "uidl"}[p.protocol]
		rc, err := p.write("fetchmailrc", "set no bouncemail\nset no spambounce\npoll 127.0.0.1 protocol %s port %d %s timeout 5 no dns auth password user %q password %q sslproto '' %s no rewrite mda \"%s -mda %s\" %s\n",
			p.protocol, p.port, uidl, user, password, kept, p.self, p.mail(), more)
		if err != nil {
			return nil, err
		}
		return []string{"fetchmail", "-v", "-f", rc, "--nodetach", "--daemon", "0", "--nosyslog", "--pidfile", filepath.Join(p.dir, "pid"), "--idfile", filepath.Join(p.dir, "fetchids")}, p.maildir()
	}
}

func getmail(more string) func(place) ([]string, error) {
	return func(p place) ([]string, error) {
		retriever := map[string]string{"pop3": "type = SimplePOP3Retriever", "imap": "type = SimpleIMAPRetriever\nmailboxes = (\"INBOX\",)"}[p.protocol]
		rc, err := p.write("getmailrc", "[retriever]\n%s\nserver = 127.0.0.1\nport = %d\nusername = %s\npassword = %s\ntimeout = 5\n[destination]\ntype = Maildir\npath = %s/\n[options]\nread_all = false\ndelete = %v\nverbose = 2\n%s",
			retriever, p.port, user, password, p.mail(), p.mode == remove, more)
		if err != nil {
			return nil, err
		}
		return []string{"getmail", "--getmaildir", p.dir, "--rcfile", rc}, p.maildir()
	}
}

func mpop(pipelining string) func(place) ([]string, error) {
	return func(p place) ([]string, error) {
		kept := map[mode]string{remove: "off", leave: "on"}[p.mode]
		rc, err := p.write("mpoprc", "account a\nhost 127.0.0.1\nport %d\ntimeout 5\nuser %s\npassword %s\nauth user\ntls off\npipelining %s\ndelivery maildir %s\nuidls_file %s/uidls\nkeep %s\n",
			p.port, user, password, pipelining, p.mail(), p.dir, kept)
		if err != nil {
			return nil, err
		}
		return []string{"mpop", "-C", rc, "-d", "a"}, p.maildir()
	}
}

func mbsync(sync, expunge string) func(place) ([]string, error) {
	return func(p place) ([]string, error) {
		rc, err := p.write("mbsyncrc", "IMAPAccount a\nHost 127.0.0.1\nPort %d\nUser %s\nPass %s\nSSLType None\nAuthMechs LOGIN\nTimeout 5\n\nIMAPStore far\nAccount a\n\nMaildirStore near\nPath %s/\nInbox %s/INBOX\n\nChannel c\nFar :far:\nNear :near:\nPatterns INBOX\nCreate Near\nSync %s\nExpunge %s\nSyncState %s/state-\n",
			p.port, user, password, p.mail(), p.mail(), sync, expunge, p.dir)
		if err != nil {
			return nil, err
		}
		return []string{"mbsync", "-V", "-c", rc, "c"}, os.MkdirAll(p.mail(), 0o700)
	}
}

func offlineimap(p place) ([]string, error) {
	rc, err := p.write("offlineimaprc", strings.Join([]string{
		"[general]", "accounts = a", "metadata = %s/meta", "ui = basic", "socktimeout = 5", "fsync = True",
		"[Account a]", "localrepository = near", "remoterepository = far",
		"[Repository near]", "type = Maildir", "localfolders = %s",
		"[Repository far]", "type = IMAP", "remotehost = 127.0.0.1", "remoteport = %d", "remoteuser = %s", "remotepass = %s",
		"ssl = no", "starttls = no", "auth_mechanisms = LOGIN", "expunge = yes", "folderfilter = lambda f: f == 'INBOX'", ""}, "\n"),
		p.dir, p.mail(), p.port, user, password)
	return []string{"offlineimap", "-o", "-u", "basic", "-c", rc}, err
}
