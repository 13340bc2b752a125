package disk

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"syscall"

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

// typed gives an error of bbolt the type that it has lost.
//
// QUIRK: when the file has to grow and cannot, bbolt tells the cause as text.
func typed(err error) error {
	if err == nil || errors.As(err, new(syscall.Errno)) {
		return err
	}
	for _, no := range []syscall.Errno{syscall.EIO, syscall.ENOSPC, syscall.EFBIG, syscall.EROFS} {
		if strings.HasSuffix(err.Error(), no.Error()) {
			return typedError{err, no}
		}
	}
	return err
}

type typedError struct {
	error
	no syscall.Errno
}

func (e typedError) Unwrap() []error { return []error{e.error, e.no} }

// lost makes an error a [retrieval.ErrStateLost] without another word.
func lost(err error) error { return lostError{err} }

type lostError struct{ error }

func (e lostError) Unwrap() error { return e.error }

func (e lostError) Is(target error) bool { return target == retrieval.ErrStateLost }
