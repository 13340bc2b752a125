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
