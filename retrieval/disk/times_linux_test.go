package disk_test

import (
	"syscall"
	"testing"
	"time"
)

// times returns when a file was read and changed last.
func times(t *testing.T, path string) (accessed, modified time.Time) {
	t.Helper()
	var s syscall.Stat_t
	if err := syscall.Stat(path, &s); err != nil {
		t.Fatal(err)
	}
	return time.Unix(s.Atim.Unix()), time.Unix(s.Mtim.Unix())
}
