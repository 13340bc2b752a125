package retrieval

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"example.com/postbag/imapclient"
	"example.com/postbag/pop3client"
)

// The longest waits after failures in a row, and what ends the row.
func TestBackoff(t *testing.T) {
	most := func(n int64) int64 { return n }
	down := fmt.Errorf("dial: %w", ErrUnavailable)
	var b backoff
	for i, want := range []time.Duration{5 * time.Second, 9 * time.Second, 17 * time.Second, 33 * time.Second, 65 * time.Second} {
		if got := b.failed(down, most); got != want {
			t.Errorf("after %d failures %v, want %v", i+1, got, want)
		}
	}
	for range 20 {
		b.failed(down, most)
	}
	if got := b.failed(down, most); got != longest+leastWait {
		t.Errorf("after very many failures %v, want %v", got, longest+leastWait)
	}
	if b.ok(time.Now()); b.failed(down, most) < longest {
		t.Error("a short success ended the row")
	}
	if b.ok(time.Now().Add(-stable)); b.failed(down, most) != 5*time.Second {
		t.Error("a long success did not end the row")
	}
	synctest.Test(t, func(t *testing.T) {
		var b backoff
		for range 9 {
			b.failed(down, most)
		}
		for range int(stable/(10*time.Second)) + 1 {
			b.ok(time.Now()) // each proves nothing
			time.Sleep(10 * time.Second)
		}
		if b.failed(down, most) != 5*time.Second {
			t.Error("many short successes did not end the row")
		}
	})
	patient := fmt.Errorf("login: %w", &pop3client.Error{Code: "LOGIN-DELAY", RetryAfter: pop3client.Never})
	if got := new(backoff).failed(patient, most); got < longestAsked || got > longestAsked+longestAsked/5 {
		t.Errorf("a server that wants to be left alone for ever is, for %v", got)
	}
	refused := fmt.Errorf("login: %w", ErrAuth)
	for i, want := range []time.Duration{11 * time.Minute, 22 * time.Minute, 44 * time.Minute} {
		if got := b.failed(refused, most); got != want {
			t.Errorf("after %d refusals %v, want %v", i+1, got, want)
		}
	}
	for range 20 {
		b.failed(refused, most)
	}
	if got := b.failed(refused, most); got != longestAuth+longestAuth/10 {
		t.Errorf("after very many refusals %v", got)
	}
	if least := func(int64) int64 { return 0 }; new(backoff).failed(down, least) != leastWait {
		t.Error("there is no least wait")
	}
}

// What servers ask for is obeyed. F108.
func TestRetryAfter(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want time.Duration
	}{
		{&pop3client.Error{Code: "LOGIN-DELAY", RetryAfter: 3 * time.Minute}, 3 * time.Minute},
		{&pop3client.Error{Code: "LOGIN-DELAY"}, 5 * time.Minute},
		{&pop3client.Error{Code: "IN-USE"}, 30 * time.Second},
		{&pop3client.Error{Code: "SYS/PERM"}, time.Hour},
		{&pop3client.Error{Code: "AUTH"}, 0},
		{&imapclient.Error{Status: "NO", Code: "LIMIT"}, 5 * time.Minute},
		{&imapclient.Error{Status: "NO", Code: "UNAVAILABLE"}, 30 * time.Second},
		{&imapclient.Error{Status: "BAD", RetryAfter: 299961 * time.Millisecond}, 299961 * time.Millisecond},
		{&imapclient.Error{Status: "NO", Code: "AUTHENTICATIONFAILED"}, 0},
		{errors.New("anything"), 0},
		{nil, 0},
	} {
		if got := RetryAfter(fmt.Errorf("run: %w", tt.err)); got != tt.want {
			t.Errorf("RetryAfter(%v) = %v, want %v", tt.err, got, tt.want)
		}
		least := func(int64) int64 { return 0 }
		if wait := new(backoff).failed(fmt.Errorf("run: %w", tt.err), least); wait < tt.want {
			t.Errorf("%v: waits %v, asked for %v", tt.err, wait, tt.want)
		}
	}
}
