package servers

import "testing"

// Dovecot will become a Kind: then it is servers.Start(t, servers.Dovecot, …), a *Server.
type Dovecot = Server

// StartDovecot is Start for the kind "dovecot".
func StartDovecot(tb testing.TB, users ...User) *Dovecot {
	tb.Helper()
	return Start(tb, "dovecot", users...)
}
