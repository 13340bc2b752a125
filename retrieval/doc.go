// Package retrieval gets mail from POP3 and IMAP servers through one
// interface, and loses none of it.
//
//	account, err := retrieval.ParseURL("pop3s://joe@mail.example.com")
//	account.Policy = retrieval.DownloadAndDelete
//	account.Password = func(context.Context) (string, error) { return os.Getenv("MAIL_PASSWORD"), nil }
//	report, err := retrieval.Run(ctx, account, maildir, ledger)
//
// An [Account] says where mail is, how to log in, and, by its [Policy], what
// retrieving means. [Run] carries that out once: it delivers into a [Sink] and
// remembers in a [Store]; package disk has a Maildir and a ledger on a file for
// these. [Watch] does so whenever there is news. Who wants to decide alone what
// is fetched and deleted opens a [Retriever] with [Open].
//
// # What is promised
//
// Run records what it is about to deliver, delivers, makes that durable,
// records it as settled, and only then deletes on the server; a deletion is
// repeated, without a second delivery, until a listing shows that the message is
// gone, or the account has got a policy that deletes nothing. What is deleted in a
// later session than it came in has its header section compared first (without
// TOP, its size), lest another message has got its name.
// So, wherever a run is cut short, and by whatever:
//
//   - No message is lost: nothing is deleted on the server that is not durable here.
//   - No message is delivered twice into a sink that is a [Finder], such as a
//     Maildir or an mbox. Another sink may get, after a crash, the messages once
//     more that were on their way; they say so ([Message.Redelivery]).
//   - No message is deleted that was not retrieved and settled: what another
//     client has marked for deletion stays.
//   - Every octet is the server's, and what is cut short is never delivered.
//
// # Under which failures
//
//	what happens                            what becomes of it
//	the process is killed, at any moment    the next run goes on; what was being delivered
//	                                        is looked for in the sink
//	the power fails                         the same: what Run calls settled was synced, with
//	                                        the folders that it is in
//	the line is cut, or falls silent        ErrSession after Account.StallTimeout; with
//	                                        Account.Retries, or in Watch, it goes on by itself
//	the answer to QUIT or EXPUNGE is lost   the deletion is repeated until the message is gone
//	the server refuses one message, or      it is left alone after three failures, for an hour
//	hangs up over it                        and then longer; the others flow
//	the sink turns down one message         the same (ErrRejected, ErrDeferred); it stays on
//	                                        the server
//	the sink or the disk is full            ErrSink or ErrStore; nothing more is done
//	the server refuses to delete some       they are failures of this run, and tried again
//	another client deletes or marks mail    what is gone is passed over; marks stay
//	the server numbers its mailbox anew,    ErrRenumbered and nothing is done, or Account.Reset
//	or is restored from a backup
//	a new message has an old name           it comes, if its size or its date is another
//	the ledger is lost, or another's        ErrStateLost and nothing is done, or Account.Reset
//	two processes have one ledger           the second gets ErrLocked
//	a message is larger than it was said    it is broken off, and treated by Limits.MessageSize
//	the server allows only so much a day    nothing more is asked for: Limits.BytesPerDay
//	the clock jumps                         a deletion comes a week too early at most (Clock)
//	the server sends what no server may     a typed error within bounds of time and memory
//
// Each line has tests: a child process that is killed before and within each of
// its effects (internal/crashes), a disk that keeps only what was synced
// (disk.TestPowerCut), every fault at every step of a session (TestEveryStep),
// and the same against servers that there are (internal/e2e, internal/chaos).
// docs/crash-matrix.md shows what other programs do in such cases.
//
// # What is not promised
//
//   - A POP3 server that gives a new message the name of a settled one hides it, if
//     it has the same size and no listing in between lacked the name. One that gives
//     two messages the same name is found out ([ErrAmbiguous]).
//   - An IMAP server that was restored from a backup, and gives UIDs once more under
//     the same UIDVALIDITY, is found out by UIDNEXT, by a message that was received
//     at another moment than the one of that name, or by another size. With
//     CONDSTORE only the newest message is compared, when others come: if it has
//     given as many UIDs as were lost, the new ones come late, with the next one.
//     One that tells neither UIDNEXT nor dates hides what has the same size. A
//     name that [Reseed] has settled hides what has its size or its date.
//   - A POP3 server that changes both the size and the header section of a message
//     which it has shown before gets it delivered once more; so does one that
//     changes its size while a crash is recovered from.
//   - A sink that is no [Finder] (a program, a mail server, a function) may get
//     a message twice after a crash: nobody can tell whether it had it (RFC 1047).
//   - A sink or a disk that says "durable" and is not.
//   - With [ServerSync] what disappears on the server disappears here. If very
//     much does at once, it is believed when it is still so an hour later.
//   - What the caller does between two runs with the delivered mail: a Maildir in
//     which a message was deleted between its delivery and the recovery from a
//     crash gets it once more.
//
// # What an account can ask for
//
// A [Policy] is one of [LeaveOnServer], [DownloadAndDelete], [DeleteAfter],
// [KeepLast] and [ServerSync], or a function. With each go [Limits] (messages,
// octets, time, size of a message, octets a day), a [Filter] by summary or
// envelope, the order, several mailboxes ([Account.Mailboxes]), and on IMAP what
// is done with a message once it is settled ([After]). [DryRun] tells what a run
// would do, and does nothing. [Watch] runs over any number of accounts until it is
// told to stop. [Tee], [Route], [DropUnless] and [RejectUnless] make sinks of
// sinks; package disk has a Maildir, a tree of them for several mailboxes, and an
// mbox; package relay hands messages to a program or a mail server.
//
// # Both ways
//
// [ServerSync] follows the server. With [Account.Upstream] the server follows
// this side, too: flags that a mail program has changed in the Maildir, and
// messages that were removed there or marked with T. Each direction can be had
// alone. The record of a message holds what both sides agreed on last, and so
// tells who has changed what:
//
//	here            server          what a run does
//	flag changed    as it was       the server follows
//	as it was       flag changed    the copy follows
//	flag changed    likewise        nothing: both agree
//	removed         as it was       removed on the server, or moved to Trash
//	removed         flags changed   delivered anew
//	as it was       removed         the copy is removed
//	flag changed    removed         the copy is removed
//
// New messages go one way only: what was put into the Maildir by others stays
// there, and what was moved out of it, also to another folder of a tree, counts
// as removed. A Maildir that was lost, or replaced by another, is filled again,
// and many removals at once are believed when they are seen again an hour later:
// see [Upstream].
//
// # POP3 and IMAP
//
// Both list, retrieve and delete alike. POP3 has no flags and no mailboxes
// besides INBOX, and a maildrop shows what was not taken yet, not what exists:
// an account that asks for more is refused when it is opened, with
// [errors.ErrUnsupported]. So is a server that cannot do what the policy needs:
// deleting takes UIDPLUS on IMAP, and remembering takes UIDL on POP3 (but see
// [Rematch]).
//
// # Errors
//
// An error is one of this package's conditions (errors.Is), or what a server
// said: the types *pop3client.Error and *imapclient.Error (errors.As). None
// holds a secret or a line of mail.
package retrieval
