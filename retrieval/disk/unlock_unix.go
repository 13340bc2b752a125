//go:build unix

package disk

import (
	"os"
	"syscall"
)

// unlock gives up bbolt's lock. To close the file is not enough: it stays
// open, and locked, for as long as it is mapped into memory.
func unlock(f *os.File) { syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }

// lockToRead takes bbolt's lock as one of several readers, unless somebody
// has it for writing. Closing f gives it up.
func lockToRead(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) != syscall.EWOULDBLOCK
}
