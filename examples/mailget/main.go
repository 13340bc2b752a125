// Command mailget retrieves mail from a POP3 or IMAP server into a Maildir,
// lists what is there, or shows on servers of its own how it works:
//
//	mailget -password-file F -policy delete -to maildir:mail -ledger mail.ledger pop3s://joe@mail.example.com
//	mailget -password-env PW -list imaps://joe@mail.example.com/Sent
//	mailget -demo
//
// Its flags, exit codes and JSON are a contract that scripts use.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"example.com/postbag/retrieval"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the command; it returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	o, err := parse(args, stdout)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	c := &command{options: o, stdin: stdin, stdout: stdout, stderr: stderr}
	if err == nil {
		err = c.do(ctx)
	}
	if err != nil {
		fmt.Fprintln(stderr, "mailget: "+explain(ctx, err))
	}
	return exitCode(ctx, err)
}

// options are what the flags say.
type options struct {
	url          string
	passwordEnv  string
	passwordFile string
	policy       string
	to           string
	ledger       string
	reset        string
	list         bool
	limit        int
	caFile       string
	plaintext    bool
	json         bool
	transcript   string
	record       string
	unmasked     bool
	progress     string
	demo         bool
}

const usage = `usage: mailget [flags] URL

URL is one of imaps://USER@HOST[:PORT][/MAILBOX], imap:// (with STARTTLS),
pop3s://USER@HOST[:PORT], pop3:// (with STLS); @ in USER is written %40.

`

const codes = `
exit code:
  0  all done
  1  some messages failed; the next run tries them again
  2  wrongly called, or asked for what this server cannot do
  3  the server does not accept the credentials
  4  server or ledger not available now: try again later
  5  no secure connection, or a server that breaks the protocol
  6  the disk here: full, not writable, or a ledger that is none, or lost (see -reset)
`

// parse reads the command line. Flags may stand behind the URL too.
func parse(args []string, stdout io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("mailget", flag.ContinueOnError)
	f.SetOutput(io.Discard) // errors are told by run
	f.Usage = func() {}
	f.StringVar(&o.passwordEnv, "password-env", "", "the password is in the environment `variable`")
	f.StringVar(&o.passwordFile, "password-file", "", "the password is the first line of `file`")
	f.StringVar(&o.policy, "policy", "leave", "`what` to do: leave messages on the server, delete them there once they are safe here, or sync: follow the server")
	f.StringVar(&o.to, "to", "", "`where` to deliver: maildir:DIR, or none: retrieve and throw away")
	f.StringVar(&o.ledger, "ledger", "", "remember in `file` what was delivered; without it every run begins anew")
	f.StringVar(&o.reset, "reset", "stop", "`what` to do when the ledger is lost or the server has renumbered its mailbox: stop, rematch (know messages again), reseed (all there now is settled) or refetch (all is new)")
	f.BoolVar(&o.list, "list", false, "list the mailbox, retrieve nothing but headers")
	f.IntVar(&o.limit, "limit", 0, "at most `n` messages, the oldest first; 0 means all")
	f.StringVar(&o.caFile, "cafile", "", "trust the certificate authorities in `file` (PEM) instead of the system's")
	f.BoolVar(&o.plaintext, "plaintext", false, "imap:// and pop3:// do without TLS: password and mail can be read on the way")
	f.BoolVar(&o.json, "json", false, "print the report as JSON, or the list as JSON lines")
	f.StringVar(&o.transcript, "transcript", "", "write the session to `file`, without secrets and without mail")
	f.StringVar(&o.record, "record", "", "write the session to `file`, for a test that replays it; messages and addresses are masked")
	f.BoolVar(&o.unmasked, "record-unmasked", false, "-record keeps messages and addresses as they are")
	f.StringVar(&o.progress, "progress", "auto", "`when` to show a bar: auto, which is on a terminal, or never")
	f.BoolVar(&o.demo, "demo", false, "show how it works, on servers in this process")
	var urls []string
	for {
		if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
			fmt.Fprint(stdout, usage)
			f.SetOutput(stdout)
			f.PrintDefaults()
			fmt.Fprint(stdout, codes)
			return o, err
		} else if err != nil {
			return o, usageError("%v", err)
		}
		if f.NArg() == 0 {
			break
		}
		urls, args = append(urls, f.Arg(0)), f.Args()[1:]
	}
	if len(urls) == 1 {
		o.url = urls[0]
	}
	return o, o.check(len(urls))
}

// check refuses what cannot be meant.
func (o *options) check(urls int) error {
	if o.demo {
		if urls > 0 {
			return usageError("-demo needs no URL: it brings its own servers")
		}
		return nil
	}
	_, isPolicy := policies[o.policy]
	_, isReset := resets[o.reset]
	switch {
	case urls != 1:
		return usageError("one URL is needed, there are %d (-help tells more)", urls)
	case !isPolicy:
		return usageError("-policy %q is none of leave, delete, sync", o.policy)
	case o.limit < 0:
		return usageError("-limit %d is less than nothing", o.limit)
	case o.progress != "auto" && o.progress != "never":
		return usageError("-progress %q is neither auto nor never", o.progress)
	case o.passwordEnv != "" && o.passwordFile != "":
		return usageError("-password-env and -password-file cannot both be")
	case o.unmasked && o.record == "":
		return usageError("-record-unmasked goes with -record")
	case !isReset:
		return usageError("-reset %q is none of stop, rematch, reseed, refetch", o.reset)
	case o.list:
		return nil
	case o.to == "":
		return usageError("where to? -to maildir:DIR, or -to none, or -list")
	case o.to != "none" && (o.maildir() == "" || !strings.HasPrefix(o.to, maildirPrefix)):
		return usageError("-to %q is neither maildir:DIR nor none", o.to)
	case o.policy == "sync" && o.ledger == "":
		return usageError("-policy sync needs -ledger: what is not remembered cannot be followed")
	case o.policy != "leave" && o.to == "none":
		return usageError("-policy %s needs a place to keep mail: -to none would lose it", o.policy)
	}
	return nil
}

const maildirPrefix = "maildir:"

// maildir is the folder to deliver into, or empty.
func (o *options) maildir() string {
	dir, _ := strings.CutPrefix(o.to, maildirPrefix)
	return dir
}

var policies = map[string]retrieval.Policy{
	"leave":  retrieval.LeaveOnServer,
	"delete": retrieval.DownloadAndDelete,
	"sync":   retrieval.ServerSync,
}

var resets = map[string]retrieval.Reset{
	"stop":    retrieval.Stop,
	"rematch": retrieval.Rematch,
	"reseed":  retrieval.Reseed,
	"refetch": retrieval.Refetch,
}

// command is what one call works with.
type command struct {
	options
	stdin          io.Reader
	stdout, stderr io.Writer
}

func (c *command) do(ctx context.Context) error {
	if c.demo {
		return c.showDemo(ctx)
	}
	a, done, err := c.account(ctx)
	if err != nil {
		return err
	}
	defer done()
	if c.list {
		return c.listMailbox(ctx, a)
	}
	return c.retrieve(ctx, a)
}
