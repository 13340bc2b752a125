package servers

import _ "embed"

// Kind is a mail server by name.
type Kind string

// The kinds. All but Popa3d serve POP3 and IMAP, both also with TLS.
const (
	Dovecot   Kind = "dovecot"
	Cyrus     Kind = "cyrus"
	Courier   Kind = "courier"
	Mailutils Kind = "mailutils"
	Popa3d    Kind = "popa3d" // POP3 without TLS, only
)

// Kinds returns all of them.
func Kinds() []Kind { return []Kind{Dovecot, Cyrus, Courier, Mailutils, Popa3d} }

// program is how a kind is had and run.
type program struct {
	packages []string // of Debian
	path     string   // the program without which it cannot run
	lmtp     string   // what serves LMTP, if it is there; empty: nothing does
	script   string   // runs it: see boot.sh for what it finds
	store    func(*Server) store
	pop3Only bool
	bare     bool // can run without namespaces
}

var programs = map[Kind]program{
	Dovecot: {
		packages: []string{"dovecot-imapd", "dovecot-pop3d", "dovecot-lmtpd"},
		path:     "usr/sbin/dovecot",
		lmtp:     "usr/lib/dovecot/lmtp",
		script:   dovecotScript,
		store:    func(s *Server) store { return maildirs{s: s} },
		bare:     true,
	},
	Cyrus: {
		packages: []string{"cyrus-imapd", "cyrus-pop3d", "sasl2-bin", "libsasl2-modules"},
		path:     "usr/lib/cyrus/bin/master",
		script:   cyrusScript,
		store:    func(s *Server) store { return appends{s} },
	},
	Courier: {
		packages: []string{"courier-imap", "courier-pop", "courier-authlib-userdb"},
		path:     "usr/sbin/couriertcpd",
		script:   courierScript,
		store:    func(s *Server) store { return maildirs{s: s, lf: true} },
	},
	Mailutils: {
		packages: []string{"mailutils-imap4d", "mailutils-pop3d"},
		path:     "usr/sbin/imap4d",
		script:   accountsScript + mailutilsScript,
		store:    func(s *Server) store { return mboxes{s} },
	},
	Popa3d: {
		packages: []string{"popa3d", "socat"},
		path:     "usr/sbin/popa3d",
		script:   accountsScript + popa3dScript,
		store:    func(s *Server) store { return mboxes{s} },
		pop3Only: true,
	},
}

var (
	//go:embed dovecot.sh
	dovecotScript string
	//go:embed cyrus.sh
	cyrusScript string
	//go:embed courier.sh
	courierScript string
	//go:embed accounts.sh
	accountsScript string
	//go:embed mailutils.sh
	mailutilsScript string
	//go:embed popa3d.sh
	popa3dScript string
)
