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
// these. Who wants to decide alone what is fetched and deleted opens a
// [Retriever] with [Open].
//
// # What is promised
//
// Run records what it is about to deliver, delivers, makes that durable,
// records it as settled, and only then deletes on the server; a deletion is
// repeated, without a download, until a listing shows that the message is gone.
// So, through a crash, a power cut, a cut line or a server that lies at any
// moment:
//
//   - No message is lost: nothing is deleted on the server that is not durable here.
//   - No message is delivered twice into a sink that is a [Finder], such as a
//     Maildir. Another sink may get, after a crash, the messages once more that
//     were on their way; they say so ([Message.Redelivery]).
//   - No message is deleted that was not retrieved and settled: what another
//     client has marked for deletion stays.
//   - Every octet is the server's, and what is cut short is never delivered.
//
// # What is not
//
// Run believes a server that names its messages: one that gives a new message
// the name of a settled one hides it. A server that renumbers its mailbox is
// found out and nothing is done ([ErrRenumbered]), and so is one that gives two
// messages the same name ([ErrAmbiguous]). With [ServerSync] a mailbox that the
// server shows empty is empty here too.
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
// deleting takes UIDPLUS on IMAP, and remembering takes UIDL on POP3.
//
// # Errors
//
// An error is one of this package's conditions (errors.Is), or what a server
// said: the types *pop3client.Error and *imapclient.Error (errors.As). None
// holds a secret or a line of mail.
package retrieval
