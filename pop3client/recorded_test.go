package pop3client_test

import (
	"testing"

	"example.com/postbag/internal/scenarios"
)

// TestRecorded runs every scenario against the sessions of real servers.
func TestRecorded(t *testing.T) {
	scenarios.Replay(t, "testdata/sessions", scenarios.POP3(), scenarios.DialPOP3)
}
