package relay

import (
	"errors"
	"fmt"
	"strings"
)

var errNoProgram = errors.New("a program that it needs cannot be run")

// CommandError is how a program ended that did not take a message, for
// errors.As. Whether it is [retrieval.ErrDeferred] or [retrieval.ErrRejected]
// follows from the exit code; see [Command].
type CommandError struct {
	// Program is the path of the program.
	Program string

	// Code is the exit code, or -1 if there is none.
	Code int

	// Reason says in a few words what happened instead of an exit, or why exit
	// code 0 was not enough; else it is empty.
	Reason string

	// Stderr is the end of what the program printed to its standard error,
	// quoted, at most 1 KiB before that. A program may quote the message there,
	// so it is part of the text of this error only if the [CommandOptions] ask
	// for it.
	Stderr string

	show bool
	kind error
}

// Error implements error.
func (e *CommandError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v: %s: ", e.kind, e.Program)
	if e.Reason != "" {
		b.WriteString(e.Reason)
	} else {
		fmt.Fprintf(&b, "exit code %d", e.Code)
	}
	if e.show && e.Stderr != "" {
		fmt.Fprintf(&b, ": %s", e.Stderr)
	}
	return b.String()
}

// Unwrap returns what the error means for the message, or what stopped the
// program.
func (e *CommandError) Unwrap() error { return e.kind }
