package disk

import "os"

// FailSync lets fsync of an mbox's files fail, as a disk does that breaks.
func (m *Mbox) FailSync(fail func(name string) error) {
	m.sync = func(f *os.File) error {
		if err := fail(f.Name()); err != nil {
			return err
		}
		return f.Sync()
	}
}
