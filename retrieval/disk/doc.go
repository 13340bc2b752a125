// Package disk keeps mail and records in files: a [Maildir] to deliver into
// and a [Ledger] that remembers. What they call done would survive a power
// cut.
//
// # Which to open
//
//	maildir, err := disk.OpenMaildir("mail")       // a retrieval.Sink
//	ledger, err := disk.OpenLedger("mail.ledger")  // a retrieval.Store
//	report, err := retrieval.Run(ctx, account, maildir, ledger)
//
// # When the disk is full
//
// Nothing that was delivered is harmed and nothing half written shows in the
// Maildir. The errors wrap those of the operating system, so that
// errors.Is(err, syscall.ENOSPC) and its like work.
//
// # When the ledger is lost or damaged
//
// A ledger checks itself as a whole when it is opened. One that is cut short,
// in which an octet has changed or a record is missing, is
// [retrieval.ErrStateLost] and stays as it is. If it is gone, or another
// account's is in its place, the [Maildir] tells: it notes which ledger it is
// used with, in files beside tmp, new and cur, and [retrieval.Run] does
// nothing then until the account's Reset says what is to be done. Whatever
// that is, a message whose delivered file is still in the Maildir does not get
// a second one: see [Maildir.Deliver].
//
// [Ledger.Backup] makes a copy that can be put back, [Repair] saves what can
// be read of a damaged file, and examples/ledger shows, checks and mends
// ledgers from the command line.
//
// # When the mail is lost
//
// A ledger that says that a message is settled is believed: a file that was
// removed from the Maildir is not delivered again, because people remove
// mail. After an older copy of a Maildir was put back, the ledger of the same
// day has what is missing delivered again, or [Ledger.Forget], as far as it is
// still on the server.
//
// # Where it works
//
// On file systems whose fsync keeps its word, on Unix: a file name of a
// Maildir may hold a colon.
package disk
