package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"example.com/postbag/retrieval"
)

// failure is an error that knows its exit code.
type failure struct {
	code int
	err  error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func usageError(format string, args ...any) error {
	return &failure{2, fmt.Errorf(format, args...)}
}

// diskError is one of the disk here, unless another process is the reason.
func diskError(err error) error {
	if err == nil || errors.Is(err, retrieval.ErrLocked) {
		return err
	}
	return &failure{6, err}
}

// partly is the error of a run that came to its end when some messages did not.
func partly(failed int) error {
	return &failure{1, fmt.Errorf("%s failed; the next run tries again", count(failed))}
}

// conditions are looked for in this order: what is wrong here comes before
// what follows from it.
var conditions = []struct {
	err  error
	code int
	say  string
}{
	{retrieval.ErrAuth, 3, "the server does not accept user name and password"},
	{retrieval.ErrLocked, 4, ""},
	{retrieval.ErrSink, 6, "the mail cannot be delivered"},
	{retrieval.ErrStateLost, 6, "the Maildir knows another ledger, so nothing was done (see -reset)"},
	{retrieval.ErrStore, 6, ""},
	{retrieval.ErrNoMailbox, 2, "there is no such mailbox on the server"},
	{retrieval.ErrRenumbered, 5, "nothing was done (see -reset)"},
	{retrieval.ErrAmbiguous, 5, "nothing was done"},
	{retrieval.ErrTLS, 5, "no secure connection"},
	{retrieval.ErrProtocol, 5, "the server does not keep to the protocol"},
	{retrieval.ErrUnavailable, 4, "the server is not available"},
	{retrieval.ErrTruncated, 4, "the server is not available"},
	{retrieval.ErrSession, 4, "the session ended"},
	{errors.ErrUnsupported, 2, "this server cannot do that"},
	{retrieval.ErrUncommitted, 1, "the next run tries again"},
}

func exitCode(ctx context.Context, err error) int {
	if err == nil {
		return 0
	}
	if f := (*failure)(nil); errors.As(err, &f) {
		return f.code
	}
	if ctx.Err() != nil {
		return 4
	}
	for _, c := range conditions {
		if errors.Is(err, c.err) {
			return c.code
		}
	}
	return 5 // what a server says that no client expects
}

// explain says in one line what is wrong, first in plain words.
func explain(ctx context.Context, err error) string {
	text := oneLine(err)
	if errors.As(err, new(*failure)) {
		return text
	}
	if ctx.Err() != nil {
		return "interrupted; the next run goes on from here: " + text
	}
	for _, c := range conditions {
		if errors.Is(err, c.err) && c.say != "" {
			return c.say + ": " + text
		}
	}
	return text
}

// lostWithServer tells whether a message failed only because the session did.
func lostWithServer(err error) bool {
	return errors.Is(err, retrieval.ErrUnavailable) || errors.Is(err, retrieval.ErrTruncated)
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// count is "1 message" or "2 messages".
func count(n int) string {
	if n == 1 {
		return "1 message"
	}
	return fmt.Sprintf("%d messages", n)
}
