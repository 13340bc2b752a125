package retrievaltest

import (
	"crypto/tls"
	"io"
	"net"

	"example.com/postbag/internal/session"
	"example.com/postbag/retrieval"
)

// RecordOptions say how to record. The zero value, and nil, keep messages as
// they are.
type RecordOptions struct {
	// Mask hides messages and addresses: letters become x, digits 9, and the
	// number of octets, the lines and all else stays.
	Mask bool
}

// Record returns an account like a, whose sessions are written to w for
// [Replay]. It stands between client and server and ends TLS on both sides:
// the server is verified as a says, the client trusts the recorder. Call stop
// when the sessions are over; only then is the recording complete.
//
// Passwords, tokens and everything else with which the client authenticates
// are written as "***", also if the server repeats them.
//
// A recording is a text that reads like the examples in the RFCs:
//
//	# Dovecot 2.3, LOGIN with a wrong password
//	S: * OK [CAPABILITY IMAP4rev1 LITERAL+] ready.
//	C: a1 LOGIN "joe" ***
//	~ 2s
//	S: a1 NO [AUTHENTICATIONFAILED] Authentication failed.
//	C: a2 LOGOUT
//	S: * BYE Logging out
//	S: a2 OK Logout completed.
//
// Each line begins with what it is:
//
//	S: text     the server sends the text and CRLF
//	C: text     the client sends a line like this one, with CRLF
//	S64: b64    the server sends just these octets, which do not end in CRLF or
//	C64: b64    hold a bare LF; likewise the client
//	S*: n       the server sends n octets that were left out; made-up ones do
//	C*:         the client sends any line
//	C*: n       the client sends n octets, whichever
//	~ 29m       so much time goes by
//	= TLS       both sides begin TLS
//	= COMPRESS  both sides begin to compress, by DEFLATE (RFC 4978)
//	= CLOSE     the server hangs up
//	= CONNECT   the client connects once more; what follows is on that connection
//	# text      a remark
//
// In a line of the client's, "…" and "***" stand for anything. The case of what
// is not quoted, needless quotes and the order within parentheses do not
// matter. IMAP's tags are bound, not guessed: whatever tag the client gives
// its command, the server answers with. The transcripts that
// [retrieval.Account.Transcript] gets have the same form.
func Record(a retrieval.Account, w io.Writer, o *RecordOptions) (recorded retrieval.Account, stop func(), err error) {
	if o == nil {
		o = new(RecordOptions)
	}
	ca, cert, err := throwAway(a.Host)
	if err != nil {
		return retrieval.Account{}, nil, err
	}
	r := &session.Recorder{
		W:           w,
		Dial:        a.Dial,
		ImplicitTLS: a.Security == retrieval.TLS,
		ToServer:    a.TLSConfig,
		ToClient:    &tls.Config{Certificates: []tls.Certificate{cert}},
		Mask:        o.Mask,
	}
	if r.Dial == nil {
		r.Dial = new(net.Dialer).DialContext
	}
	a.Dial = r.DialContext
	a.TLSConfig = &tls.Config{RootCAs: ca.Pool()}
	return a, r.Close, nil
}
