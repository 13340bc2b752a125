package disk

import (
	"errors"
	"os"
	"syscall"
)

const noFollow = syscall.O_NOFOLLOW

const (
	setOpenFileLock = 37     // F_OFD_SETLK, see fcntl(2)
	nfsMagic        = 0x6969 // see statfs(2)
)

// lockFile takes both locks of the system on a whole file, without waiting:
// the one of fcntl, then that of flock. held is the one that another has.
// Both go when the file is closed. The lock of fcntl is the kind that belongs
// to the open file: it holds between two users in one process, and is not
// lost when the process closes the file elsewhere.
func lockFile(f *os.File) (held string, err error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return "", err
	}
	err2 := conn.Control(func(fd uintptr) {
		lock := syscall.Flock_t{Type: syscall.F_WRLCK}
		if err = syscall.FcntlFlock(fd, setOpenFileLock, &lock); isLocked(err) {
			held, err = "fcntl", nil
		}
		if held != "" || err != nil {
			return
		}
		// On NFS flock is that very lock of fcntl under another name, which
		// we would wait for ourselves (flock(2)).
		var stat syscall.Statfs_t
		if syscall.Fstatfs(int(fd), &stat) == nil && stat.Type == nfsMagic {
			return
		}
		if err = syscall.Flock(int(fd), syscall.LOCK_EX|syscall.LOCK_NB); isLocked(err) {
			held, err = "flock", nil
		}
	})
	if err == nil {
		err = err2
	}
	if err != nil {
		err = &os.PathError{Op: "lock", Path: f.Name(), Err: err}
	}
	return held, err
}

func isLocked(err error) bool {
	return errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EACCES)
}
