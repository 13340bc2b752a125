//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package disk

import (
	"errors"
	"os"
	"syscall"
)

const noFollow = syscall.O_NOFOLLOW

// lockFile takes the lock of the system on a whole file, without waiting.
// held is not empty if another has it. On these systems flock and fcntl see
// each other's locks, and a process that took both would wait for itself.
func lockFile(f *os.File) (held string, err error) {
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return "flock", nil
	}
	if err != nil {
		err = &os.PathError{Op: "lock", Path: f.Name(), Err: err}
	}
	return "", err
}
