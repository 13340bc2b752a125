package disk

import (
	"fmt"
	"runtime/debug"

	"example.com/postbag/retrieval"
)

// guard makes errors of the ways in which bbolt fails on a damaged file: it
// panics, or it reads memory behind the end of the file.
func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = lost(damageError{r})
		}
	}()
	return f()
}

type damageError struct{ cause any }

func (e damageError) Error() string { return fmt.Sprintf("damaged: %v", e.cause) }

// lost makes an error a [retrieval.ErrStateLost] without another word.
func lost(err error) error { return lostError{err} }

type lostError struct{ error }

func (e lostError) Unwrap() error { return e.error }

func (e lostError) Is(target error) bool { return target == retrieval.ErrStateLost }
