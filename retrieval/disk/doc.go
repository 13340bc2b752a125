// Package disk keeps mail and records in files: a [Maildir] or an [Mbox] to
// deliver into, and a [Ledger] that remembers. What they call done would
// survive a power cut.
//
// # Which to open
//
//	maildir, err := disk.OpenMaildir("mail")       // a retrieval.Sink
//	ledger, err := disk.OpenLedger("mail.ledger")  // a retrieval.Store
//	report, err := retrieval.Run(ctx, account, maildir, ledger)
//
// For an account with several mailboxes [OpenMaildirPlus] opens a tree of
// Maildirs, one for each, that mail programs and Dovecot know as Maildir++.
//
// Where there is a choice a Maildir is the better one: its messages can follow
// those on the server, and nobody waits for a lock. [OpenMbox] is for a mailbox
// that is an mbox already.
//
// # What is in an mbox
//
// The kind is mboxrd: a line of a message that begins with ">*From " has one
// ">" more. Lines end with LF; [MboxOptions].KeepCRLF keeps the CRLF. Between
// messages there is an empty line. [ReadMbox] gives back every octet as the
// server sent it, also lone CRs and LFs and a last line without an end: the
// From_ line says, behind "remote from", which line ends were CRLF and whether
// there was a last one. The name that it gives there is that of the delivery,
// by which [Mbox.Find] recognises it after a crash, and a checksum tells a
// message that is whole from one that was cut. A program that writes From_
// lines anew, as Mailutils does, takes all that away: then a message that a
// crash interrupted may come twice, and lines are read as they are stored.
//
// The sender in a From_ line is that of Return-Path, or MAILER-DAEMON; the date
// is when the server got the message, or now, in UTC.
//
// # Locks of an mbox
//
// Three, in this order: fcntl, flock, and the dotlock NAME.lock. All are tried
// without waiting, and all are given up before the next attempt, so that
// another order elsewhere is no deadlock. On NFS, where flock is fcntl, flock is
// left out; on BSD and macOS, where they see each other, fcntl is; elsewhere
// than on Unix there is the dotlock alone. A dotlock that nobody has touched for
// 5 minutes counts as left by a crash. Where the folder lets us make no file, as
// with a system's /var/mail, there is no dotlock: there [MboxOptions].Work has
// to name another folder for the file that follows. The mailbox is locked while
// messages are appended, not while they come.
//
// # An mbox after a crash
//
// Until Flush messages are in a file beside the mailbox, NAME.postbag-…, with
// where they are about to be appended. Who opens the mailbox next compares:
// what was appended in part, and nothing else behind it, is cut off. If another
// program has appended something since, nothing is cut: the rest of a message
// stays where it is, and does not count as delivered. Close removes the file.
// Files of that kind count only if they are this user's or the mailbox's owner's.
//
// # When the disk is full
//
// Nothing that was delivered is harmed and nothing half written shows in the
// Maildir; an mbox is as long as before. For that an mbox needs twice the room
// while it is written. The errors wrap those of the operating system, so that
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
