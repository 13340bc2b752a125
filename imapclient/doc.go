// Package imapclient retrieves mail over IMAP (RFC 3501 and RFC 9051) with
// contexts, streams and limits.
//
//	c, err := imapclient.Dial(ctx, "mail.example.com:993", nil)
//	err = c.Login(ctx, "joe", password)
//	box, err := c.Examine(ctx, "INBOX")
//	for m, err := range c.Bodies(ctx, uids...) {
//		…
//	}
//
// A [Client] belongs to one goroutine and does one thing at a time: a command
// given while another is under way, as within a loop over [Client.Bodies], is
// [ErrBusy]. Cancelling a context closes the connection, because IMAP cannot
// take a command back; [Client.Idle] and [Watch.Wait] alone end gently.
//
// # Security
//
// [Dial] and [DialStartTLS] verify the server's certificate. Nothing that
// came before TLS is believed after it, but for what kind of server it is, data
// sent ahead of the handshake is refused, and so is a session that is
// authenticated before TLS. Credentials are sent without TLS only over
// [DialPlaintext]. No error and no transcript holds a secret, even if a server
// that is being logged in to repeats one, nor a line of a message, even if it
// comes where a response should. Arguments with CR, LF or NUL are refused before
// anything is written.
//
// # Hostile and broken servers
//
// Lines, literals that are no message, nesting and unasked-for data are
// bounded; more is [ErrProtocol]. Responses that are not known are passed
// over. A message that cannot be had is a [MessageError], and the others go
// on. A message that is cut short ends with [ErrTruncated], never with io.EOF.
//
// # What servers tell of messages
//
// [Client.Fetch] asks for what is wanted of each message without retrieving it:
// flags, envelope, structure, header fields and more. [Client.Part] reads one
// part that the structure names. Structures and envelopes are understood as far
// as they can be, whatever a server or a sender has put into them; what cannot
// be is missing from one message.
//
// A server that hangs up over a message says so with BYE, or not at all. The
// error is then a [HangUpError], which names the messages that had not come, and
// [BodiesThrough], [FetchThrough] and [SummariesThrough] go on in further
// sessions until the one message is known.
// What a server says before it hangs up is the error, also if that shows first
// when a command cannot be sent.
//
// # Waiting for mail
//
// [Client.Watch] waits for news in the best way that the server keeps to: IDLE,
// NOTIFY for other mailboxes, or asking now and then. [Watch.Way] tells which.
// IDLE that is refused, that ends at once, or that tells of nothing becomes
// asking; a NOTIFY that the server takes back becomes IDLE for a while. A
// heartbeat finds lines that have died silently, also after the machine has
// slept. [Client.Idle] and [Client.Noop] are the single steps.
//
// # Servers without UIDPLUS
//
// Without UIDPLUS (RFC 4315) there is no way to expunge just some messages:
// [Client.Expunge] then sends nothing and returns [errors.ErrUnsupported], and
// so does [Client.Move] where there is no MOVE either. What can be done instead,
// with its risks, is [Client.ExpungeEmulated].
//
// # Names of mailboxes
//
// Names are UTF-8 here, whatever they are on the wire: modified UTF-7, UTF-8
// after [Client.Enable], or something else that a server lists, which is
// sent back to it as it came.
//
// # How it is built
//
// go-imap encodes and follows the commands that are not about messages'
// contents. It never touches the network: greeting, TLS and authentication are
// ours, it is then told of an authenticated session, and a guard between it
// and the connection lets through, line by line, what it can take. FETCH, IDLE,
// APPEND, SEARCH, STATUS, MOVE and the reading of responses are ours too.
package imapclient
