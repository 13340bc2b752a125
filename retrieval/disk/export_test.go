package disk

import "os"

// OnStep has f told of each step of Compact.
func (l *Ledger) OnStep(f func(step string)) { l.step = f }

// FailSync lets fsync of an mbox's files fail, as a disk does that breaks.
func (m *Mbox) FailSync(fail func(name string) error) { m.sync = failing(fail) }

// FailSync lets fsync of messages fail.
func (d *Maildir) FailSync(fail func(name string) error) { d.sync = failing(fail) }

func failing(fail func(name string) error) func(*os.File) error {
	return func(f *os.File) error {
		if err := fail(f.Name()); err != nil {
			return err
		}
		return f.Sync()
	}
}

// PlusName is the folder of a mailbox in a tree.
var PlusName = plusName

// OnRead has f called each time that the folders were read for the index.
func (d *Maildir) OnRead(f func()) { d.copies.did = f }
