package relay

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"example.com/postbag/retrieval"
)

// CommandOptions are the options of a [Command]. The zero value, and nil, are
// safe defaults.
type CommandOptions struct {
	// Dir is the program's working directory; empty means this process's own.
	Dir string

	// Inherit names the variables that the program gets of this process's
	// environment. Nil means PATH, HOME, LANG and TZ; empty means none.
	Inherit []string

	// Env is what it gets besides, "NAME=value" each.
	Env []string

	// Timeout is how long the program may keep the sink waiting, while it takes
	// the message and until it ends; the time that the message needs to arrive
	// does not count. Zero means 5 minutes, less than zero no limit.
	Timeout time.Duration

	// Grace is how long the processes have to end after SIGTERM, before
	// SIGKILL. Zero means 5 s.
	Grace time.Duration

	// AllowPartial lets exit code 0 count also if the program has not read the
	// whole message. Otherwise such a message is deferred: more often than not
	// it is in no mailbox.
	AllowPartial bool

	// AllowRoot lets root run the program. Mail should not: a hole in the
	// program is the machine's then.
	AllowRoot bool

	// ShowStderr puts the end of what the program prints to its standard error
	// into the text of errors. A program may quote the message there.
	ShowStderr bool
}

// Command is a [retrieval.Sink] that runs a program for each message, with the
// message as its standard input, octet by octet as the server has it. There is
// no shell in between, and nothing that a server or a message says becomes an
// argument. The exit code decides:
//
//	0                             taken, and durable: the program vouches for it
//	65, 67, 68, 69, 76, 77        rejected, as sysexits.h has it
//	100, 112                      rejected, as qmail has it
//	126, 127                      the run ends: a program is missing
//	71, 73, 74, 75, 111, others   deferred
//
// A program that is ended by a signal, its own or ours after the time is up, has
// not taken the message. When its time is up, the context ends or the message
// cannot be read to its end, it is ended with all processes of its group (Unix),
// before it could take the end of its input for the end of the message. What a
// program leaves running when it exits is left alone; its standard output goes
// nowhere.
//
// The environment tells of the message:
//
//	POSTBAG_ACCOUNT, POSTBAG_MAILBOX, POSTBAG_UID   where it comes from
//	POSTBAG_FLAGS        separated by commas
//	POSTBAG_SIZE         as announced, or -1
//	POSTBAG_RECEIVED     as in 2006-01-02T15:04:05Z, or empty
//	POSTBAG_REDELIVERY   1 if an earlier run may have delivered it, else 0
//
// In the first four each octet but ASCII letters, digits and @.,_+:/- is %XX, so
// that a shell can use them unquoted. One of more than 1 KiB is cut, and ends with a
// tilde and the SHA-256 of all of it.
type Command struct {
	path string
	args []string
	o    CommandOptions
}

// NewCommand makes a sink of a program, whose name is looked up in PATH if it
// has no slash, and its arguments. It fails if there is no such program, or for
// root unless the options allow that.
func NewCommand(argv []string, o *CommandOptions) (*Command, error) {
	c := &Command{}
	if o != nil {
		c.o = *o
	}
	if len(argv) == 0 {
		return nil, errors.New("command: no program")
	}
	if os.Geteuid() == 0 && !c.o.AllowRoot {
		return nil, fmt.Errorf("command: %s: mail is not handed to a program that runs as root, unless AllowRoot is set", argv[0])
	}
	for _, s := range append(append([]string{c.o.Dir}, argv...), c.o.Env...) {
		if strings.ContainsRune(s, 0) {
			return nil, errors.New("command: NUL in an argument")
		}
	}
	for _, kv := range c.o.Env {
		if name, _, ok := strings.Cut(kv, "="); !ok || name == "" {
			return nil, fmt.Errorf("command: Env: %q is not NAME=value", name)
		}
	}
	path, err := exec.LookPath(argv[0])
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return nil, fmt.Errorf("command: %w", err)
	}
	c.path, c.args = path, argv
	if c.o.Timeout == 0 {
		c.o.Timeout = 5 * time.Minute
	}
	if c.o.Grace <= 0 {
		c.o.Grace = 5 * time.Second
	}
	return c, nil
}

// Deliver implements [retrieval.Sink]. Its errors are a [CommandError], unless
// the program could not be started or the message not be read.
func (c *Command) Deliver(ctx context.Context, m *retrieval.Message) (string, error) {
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	p, err := c.start(m)
	if err != nil {
		return "", fmt.Errorf("command: %w", err)
	}
	got := p.feed(ctx, m)
	if got.readErr != nil {
		return "", got.readErr
	}
	return "", c.judge(got)
}

// judge says what a program's end means.
func (c *Command) judge(e ending) error {
	err := &CommandError{Program: c.path, Code: e.state.ExitCode(), Stderr: e.stderr, show: c.o.ShowStderr}
	switch {
	case e.stopped != nil:
		err.Reason, err.kind = e.stopped.Error(), retrieval.ErrDeferred
		if e.cancelled {
			err.Reason, err.kind = "stopped", e.stopped
		}
	case err.Code < 0:
		err.Reason, err.kind = e.state.String(), retrieval.ErrDeferred
	case err.Code == 0 && !e.all && !c.o.AllowPartial:
		err.Reason, err.kind = "exit code 0 before it had read the message", retrieval.ErrDeferred
	default:
		if err.kind = verdict(err.Code); err.kind == nil {
			return nil
		}
	}
	return err
}
