package retrievaltest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"example.com/postbag/retrieval"
	rt "example.com/postbag/retrieval/retrievaltest"
)

// TestStallInNoTime is a server that says nothing for an hour, within a bubble.
func TestStallInNoTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{greeting: pop3Greeting, script: pop3Script}
		a := retrieval.Account{
			Protocol: retrieval.POP3, Security: retrieval.Plaintext, Host: "mail.example.com", User: "joe",
			Password:     func(context.Context) (string, error) { return "p", nil },
			StallTimeout: time.Hour,
			Dial:         s.dial,
		}
		start := time.Now()
		_, err := retrieval.Open(t.Context(), rt.Faulty(t, a, rt.Stall(rt.AtGreeting(), 0)))
		if !errors.Is(err, retrieval.ErrUnavailable) || time.Since(start) != time.Hour {
			t.Errorf("%v after %v, want ErrUnavailable after an hour", err, time.Since(start))
		}
	})
}

// TestFaultyInNoTime is a slow server of each kind, within a bubble.
func TestFaultyInNoTime(t *testing.T) {
	for _, p := range bothProtocols {
		for name, s := range securities {
			t.Run(fmt.Sprintf("%s %s", p, name), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m := newMaildrop(t, p, &rt.ServerOptions{InMemory: true, Security: s})
					msgs := mails(3)
					m.Deliver(msgs...)
					start := time.Now()
					fs := faults{rt.Stall(rt.AtGreeting(), 5*time.Second), rt.Drip(time.Second), rt.Stall(rt.WithinReply("", 3, 5), 50*time.Second)}
					rt.MustStrike(t, fs...)
					b := new(inbox)
					if err := b.run(t, rt.Faulty(t, m.account, fs...)); err != nil {
						t.Fatal(err)
					}
					b.wantAll(t, m, msgs)
					if took := time.Since(start); took < 5*time.Minute {
						t.Errorf("it took only %v", took)
					}
				})
			})
		}
	}
}
