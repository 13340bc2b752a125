// Package postbag is the map of a library that retrieves mail over POP3 and
// IMAP through one interface. It holds no code; what you need is in
//
//   - [example.com/postbag/retrieval]: accounts, policies (leave, delete at once
//     or in time, stay in step, also both ways), limits, and Run, Watch and DryRun,
//     which carry them out so that nothing is lost and nothing delivered twice.
//     Begin here.
//   - [example.com/postbag/retrieval/disk]: a Maildir, a tree of them and an mbox
//     to deliver into, and a ledger that remembers, all durable.
//   - [example.com/postbag/retrieval/relay]: a program, LMTP and SMTP to deliver
//     to.
//   - [example.com/postbag/retrieval/retrievaltest]: for your own tests, a fake
//     mailbox, recorded sessions, faults and conformance suites.
//   - [example.com/postbag/message]: what a mail says.
//   - [example.com/postbag/pop3client] and [example.com/postbag/imapclient]:
//     the two protocols with contexts, streams and limits, useful alone.
//
// The way of a message can be read from top to bottom: a client takes it off
// the wire, a retrieval.Retriever hands it out, retrieval.Run gives it to a
// sink, has it made durable, records it in a store, and only then lets the
// server delete it.
//
// The program examples/mailget does all of that from a command line, and
// examples/ledger shows and mends what it remembers.
package postbag
