module example.com/postbag

go 1.26.0

require (
	// imapclient: the commands that are not about messages' contents.
	github.com/emersion/go-imap/v2 v2.0.0-beta.8

	// message: a peer that its reading is compared with.
	github.com/emersion/go-message v0.18.2

	// internal/sasl: PLAIN, EXTERNAL, ANONYMOUS and OAUTHBEARER.
	github.com/emersion/go-sasl v0.0.0-20241020182733-b788ff22d5a6

	// retrieval/relay: SMTP and LMTP.
	github.com/emersion/go-smtp v0.25.1

	// pop3client: commands and status replies.
	github.com/knadh/go-pop3 v1.0.2

	// retrieval/disk: the ledger.
	go.etcd.io/bbolt v1.5.0

	// message: HTML. internal/transport: host names beyond ASCII (IDNA).
	golang.org/x/net v0.62.0

	// examples/mailget: is it a terminal, and how wide.
	golang.org/x/term v0.47.0

	// message: charsets.
	golang.org/x/text v0.43.0
)

require golang.org/x/sys v0.49.0 // indirect
