// Package relay has sinks that hand each message to another program: a
// [Command] that reads it from its standard input, and a mail server that takes
// it over LMTP or SMTP. All three can be used from several goroutines.
//
//	sink, err := relay.NewLMTP("unix:/run/dovecot/lmtp", &relay.Options{Recipients: []string{"joe"}})
//	report, err := retrieval.Run(ctx, account, sink, ledger)
//
// # Who vouches for a message
//
// A message counts as durable when the other side says that it has it: exit
// code 0, or the reply 250 to the last octet. From then on it may be deleted on
// the server it came from. A program that says so too early loses mail.
//
// # What a failure means
//
// An error that is [retrieval.ErrDeferred] or [retrieval.ErrRejected] is about
// one message, and the run goes on. Everything else is about the sink, and ends
// the run: a program that cannot be started, a server that cannot be reached,
// does not prove who it is, does not accept the credentials, says 421 or breaks
// the protocol.
//
// # Messages that are delivered twice
//
// When the connection is lost between the last octet and the reply, nobody
// knows whether the server has the message (RFC 1047). It is deferred and sent
// again; and so is one that a program took before the machine failed. That is
// the one way to a duplicate. The next run marks such a message with
// [retrieval.Message.Redelivery], which a command finds in its environment. Mail
// servers can tell duplicates by the Message-ID: Dovecot's Sieve has a test for
// them.
//
// When only some recipients took a message (RFC 2033 section 4.2), the others
// are tried again, and those that have it get it no second time, as long as the
// sink lives. [RecipientError] says who has it.
//
// # What arrives
//
// A command gets the octets as they are. SMTP and LMTP carry lines that end
// with CRLF and no NUL (RFC 5321 section 2.3.8), and a server that takes other
// octets for an end of line can be made to see the end of a message, and the
// commands of whoever wrote it, within one. So LF and CR LF after any number of
// CR become CRLF, any other run of CR becomes a space, and NUL is left out,
// before dots are doubled; [Options.RefuseUnclean] rejects such a message
// instead. Lines of more than 998 octets go out as they are, unless
// [Options.RefuseLongLines] says otherwise. A message whose last line has no
// end gets one.
package relay
