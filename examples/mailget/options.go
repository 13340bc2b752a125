package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"time"
)

// options are what the flags say.
type options struct {
	url   string
	given map[string]bool // the flags that were there

	passwordEnv, passwordFile string
	caFile                    string
	plaintext                 bool
	mailboxes                 string

	to        []destination
	rcpt      []string
	allowRoot bool
	ledger    string
	reset     string

	limit         int
	limitBytes    int64
	limitTime     time.Duration
	newestFirst   bool
	maxSize       int64
	from, subject string

	limitDay int64

	policy      string
	deleteAfter time.Duration
	keepLast    int
	both, up    bool
	trash       string
	markSeen    bool
	moveTo      string

	list, dryRun, watch, demo bool
	poll                      time.Duration
	retry                     int
	json                      bool
	progress                  string
	transcript, record        string
	unmasked                  bool
}

const usage = `usage: mailget [flags] URL

URL is one of imaps://USER@HOST[:PORT][/MAILBOX], imap:// (with STARTTLS),
pop3s://USER@HOST[:PORT], pop3:// (with STLS); @ in USER is written %40.
SIZE is as in 500KB or 10MB, DURATION as in 30d, 36h or 90s.
`

const codes = `
exit code:
  0  all done
  1  some messages failed; the next run tries them again
  2  wrongly called, or asked for what this server cannot do
  3  the server does not accept the credentials
  4  server, ledger or mbox not available now: try again later
  5  no secure connection, or a server that breaks the protocol
  6  the disk here: full, not writable, or a ledger that is none, or lost (see -reset);
     or what -to names takes no mail now
`

// groups are the flags, as the help shows them.
var groups = []struct {
	title string
	add   func(f *flag.FlagSet, o *options)
}{
	{"what to do, if not to retrieve just once", func(f *flag.FlagSet, o *options) {
		f.BoolVar(&o.list, "list", false, "list the mailbox, retrieve nothing but headers")
		f.BoolVar(&o.dryRun, "dry-run", false, "tell what a run would do, and change nothing, here or there")
		f.BoolVar(&o.watch, "watch", false, "go on until interrupted: retrieve when the server tells of news, or every 5 minutes (see -poll); log to stderr")
		f.Func("poll", "-watch retrieves every `DURATION` where the server does not tell of news", durationVar(&o.poll))
		f.IntVar(&o.retry, "retry", 0, "connect again up to `n` times, some seconds later, when a run has lost the server; what failed before waits for the next run")
		f.BoolVar(&o.demo, "demo", false, "show how it works, on servers in this process")
	}},
	{"server", func(f *flag.FlagSet, o *options) {
		f.StringVar(&o.passwordEnv, "password-env", "", "the password is in the environment `variable`")
		f.StringVar(&o.passwordFile, "password-file", "", "the password is the first line of `file`")
		f.StringVar(&o.caFile, "cafile", "", "trust the certificate authorities in `file` (PEM) instead of the system's")
		f.BoolVar(&o.plaintext, "plaintext", false, "imap:// and pop3:// do without TLS: password and mail can be read on the way")
		f.StringVar(&o.mailboxes, "mailboxes", "", "all IMAP mailboxes that a list of `patterns` chooses, with commas between: names, * for anything, % for a level, \\Sent for a use; those after - are left out. A Maildir becomes a tree (Maildir++)")
	}},
	{"where the mail goes", func(f *flag.FlagSet, o *options) {
		f.Func("to", "`where` to deliver: maildir:DIR; mbox:FILE; pipe:'PROGRAM ARG …', no shell, on its standard input; lmtp:HOST:PORT or lmtp:/SOCKET, or smtp: likewise (elsewhere than on this machine with STARTTLS), with -rcpt; or none: retrieve and throw away; with several of this flag each message is delivered to all", func(s string) error {
			o.to = append(o.to, toDestination(s))
			return nil
		})
		f.Func("rcpt", "an `address` that gets each message from the server of -to lmtp or smtp; there may be several of this flag", func(s string) error {
			o.rcpt = append(o.rcpt, s)
			return nil
		})
		f.BoolVar(&o.allowRoot, "allow-root", false, "-to pipe runs the program as root, too")
		f.StringVar(&o.ledger, "ledger", "", "remember in `file` what was delivered; without it every run begins anew")
		f.StringVar(&o.reset, "reset", "stop", "`what` to do when the ledger is lost or the server has renumbered its mailbox: stop, rematch (know messages again), reseed (all there now is settled) or refetch (all is new)")
	}},
	{"what is retrieved", func(f *flag.FlagSet, o *options) {
		f.IntVar(&o.limit, "limit", 0, "at most `n` messages a run, the oldest first; 0 means all")
		f.Func("limit-bytes", "at most so much a run, as a `SIZE`, but one message at least", sizeVar(&o.limitBytes))
		f.Func("limit-day", "receive at most so much in 24 hours, as a `SIZE`, from all mailboxes of the account together; Gmail locks accounts above 2500MB (IMAP) or 1250MB (POP3)", sizeVar(&o.limitDay))
		f.Func("limit-time", "a run goes on to retrieve for a `DURATION`", durationVar(&o.limitTime))
		f.BoolVar(&o.newestFirst, "newest-first", false, "the newest messages first")
		f.Func("max-size", "of messages larger than `SIZE` the header only; they stay on the server, and come when the limit allows it", sizeVar(&o.maxSize))
		f.StringVar(&o.from, "from", "", "only messages with `text` in a From address or name; costs all new headers")
		f.StringVar(&o.subject, "subject", "", "only messages with `text` in the subject, likewise")
	}},
	{"what becomes of it on the server", func(f *flag.FlagSet, o *options) {
		f.StringVar(&o.policy, "policy", "leave", "`what` to do: leave messages on the server, delete them there once they are safe here, or sync: follow the server")
		f.Func("delete-after", "leave messages, and delete each a `DURATION` after it was delivered", durationVar(&o.deleteAfter))
		f.IntVar(&o.keepLast, "keep-last", 0, "leave the newest `n` messages, and delete older ones once they are safe here")
		f.BoolVar(&o.markSeen, "mark-seen", false, "mark delivered messages as seen (IMAP)")
		f.StringVar(&o.moveTo, "move-to", "", "move delivered messages to another `mailbox` (IMAP)")
		f.BoolVar(&o.both, "both", false, "-policy sync goes both ways: the server follows flags that change here, and what is removed here is removed there")
		f.BoolVar(&o.up, "up", false, "-policy sync goes the other way: as -both, but what was delivered follows nothing that happens on the server")
		f.StringVar(&o.trash, "trash", "", "-both and -up move to `mailbox` what is removed here, instead of deleting it")
	}},
	{"output", func(f *flag.FlagSet, o *options) {
		f.BoolVar(&o.json, "json", false, "print the report as JSON, or the list, the forecast or the log as JSON lines")
		f.StringVar(&o.progress, "progress", "auto", "`when` to show a bar: auto, which is on a terminal, or never")
		f.StringVar(&o.transcript, "transcript", "", "write the session to `file`, without secrets and without mail")
		f.StringVar(&o.record, "record", "", "write the session to `file`, for a test that replays it; messages and addresses are masked")
		f.BoolVar(&o.unmasked, "record-unmasked", false, "-record keeps messages and addresses as they are")
	}},
}

// parse reads the command line. Flags may stand behind the URL too.
func parse(args []string, stdout io.Writer) (options, error) {
	o := options{given: make(map[string]bool)}
	f := flag.NewFlagSet("mailget", flag.ContinueOnError)
	f.SetOutput(io.Discard) // errors are told by run
	f.Usage = func() {}
	for _, g := range groups {
		g.add(f, &o)
	}
	var urls []string
	for {
		if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
			help(stdout)
			return o, err
		} else if err != nil {
			return o, usageError("%v", err)
		}
		if f.NArg() == 0 {
			break
		}
		urls, args = append(urls, f.Arg(0)), f.Args()[1:]
	}
	f.Visit(func(fl *flag.Flag) { o.given[fl.Name] = true })
	if len(urls) == 1 {
		o.url = urls[0]
	}
	return o, o.check(len(urls))
}

// help prints all flags, group by group.
func help(w io.Writer) {
	fmt.Fprint(w, usage)
	for _, g := range groups {
		f := flag.NewFlagSet("", flag.ContinueOnError)
		f.SetOutput(w)
		g.add(f, new(options))
		fmt.Fprintf(w, "\n%s:\n", g.title)
		f.PrintDefaults()
	}
	fmt.Fprint(w, codes)
}
