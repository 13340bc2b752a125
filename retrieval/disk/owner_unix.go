//go:build unix

package disk

import (
	"os"
	"syscall"
)

// mayHaveLeft tells whether a file is this user's, or the mailbox's owner's. In
// a folder that all may write to, the system's for mail, others could name a
// file as they like.
func mayHaveLeft(file, mbox os.FileInfo) bool {
	f, ok := file.Sys().(*syscall.Stat_t)
	m, ok2 := mbox.Sys().(*syscall.Stat_t)
	return ok && ok2 && (f.Uid == m.Uid || int64(f.Uid) == int64(os.Geteuid()))
}
