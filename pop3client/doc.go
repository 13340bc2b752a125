// Package pop3client retrieves mail over POP3 (RFC 1939).
//
// A [Client] is one session. [Dial], [Client.Login], [Client.Listing],
// [Client.RetrEach], [Client.Dele] and [Client.Quit] are the usual course:
// messages are streamed octet by octet as the server has them, many are under
// way at a time where the server allows it, and memory stays flat.
//
// # When is a message deleted?
//
// At [Client.Quit], if the server confirms it, and then only what
// [Client.Dele] marked. A session that ends in any other way, by
// [Client.Close], a cut line or a crash, deletes nothing. RFC 1939 section 6.
//
// # Errors
//
// What one acts on is a sentinel for [errors.Is], such as [ErrAuth] or
// [ErrGone]. What the server answered is an [*Error], an error about one
// message of many a [*MessageError]. After anything but a refusal by the
// server there is no way to know what the next reply answers, so the
// connection is closed; [Client.Err] then says why, and every later call
// returns that error.
//
// # Logging in
//
// [Client.Login] is USER and PASS, [Client.Auth] the strongest SASL mechanism
// that both sides have, OAuth 2.0 among them, [Client.APOP] what it says.
//
// # Pipelining
//
// Where the server offers it, up to [Options.Window] commands are under way,
// written by a goroutine that ends with the call or loop; nothing is sent
// behind a login, STLS or QUIT before the reply. Elsewhere each reply is
// waited for. A server that is not up to what it offers shows as [ErrDesync].
//
// # Servers without UIDL or TOP
//
// Both are optional, and CAPA is missing or wrong about them on some servers.
// So they are tried, and a server that does not have them is
// [errors.ErrUnsupported]. Without UIDL messages have no lasting names: they
// can be retrieved and deleted by [Client.List], but not remembered.
//
// # Contexts
//
// A context bounds each call. POP3 cannot take a command back: when a context
// ends before the call does, the connection is closed, and the error is the
// context's cause. A server that falls silent is given up after
// [Options.StallTimeout], and one that drips after fifteen of these
// ([Options.MinProgress]), whatever the context says.
//
// # Security
//
// TLS is verified, and no credential is sent without it unless
// [DialPlaintext] or [Options.AllowPlaintext] says so. What a server sends
// ahead of a TLS handshake, or in reply to nothing, ends the session. Only
// CRLF, a dot and CRLF end a message, so that no message can pass off its own
// text as the server's replies. Lines, lists and messages have limits.
// Arguments with CR, LF or NUL are refused before an octet is sent.
package pop3client
