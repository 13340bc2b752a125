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
// # When the ledger is lost
//
// Every message on the server counts as new. Those whose delivered file is
// still in the Maildir do not get a second one: see [Maildir.Deliver].
//
// # Where it works
//
// On file systems whose fsync keeps its word, on Unix: a file name of a
// Maildir may hold a colon.
package disk
