// Command mailget retrieves mail from a POP3 or IMAP server into a Maildir, an
// mbox, a program or a mail server, or several of these, lists what is there, or shows on servers of
// its own how it works:
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
	"syscall"
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
	switch {
	case c.list:
		return c.listMailbox(ctx, a)
	case c.dryRun:
		return c.forecast(ctx, a)
	case c.watch:
		return c.follow(ctx, a)
	}
	return c.retrieve(ctx, a)
}
