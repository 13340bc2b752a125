package scenarios_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"testing"
	"time"

	"example.com/postbag/imapclient"
	"example.com/postbag/internal/scenarios"
	"example.com/postbag/internal/servers"
)

// TestWatch watches every real server, in every way that it has, while mail is
// delivered by somebody else.
func TestWatch(t *testing.T) {
	for _, kind := range servers.Kinds() {
		if kind == servers.Popa3d {
			continue // POP3 only
		}
		t.Run(string(kind), func(t *testing.T) {
			s := servers.Start(t, kind, servers.User{Name: scenarios.User, Password: scenarios.Password})
			for _, avoid := range [][]imapclient.WatchWay{nil, {imapclient.WatchNotify}, {imapclient.WatchNotify, imapclient.WatchIdle}} {
				watch(t, s, avoid)
			}
		})
	}
}

func watch(t *testing.T, s *servers.Server, avoid []imapclient.WatchWay) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := imapclient.Dial(ctx, s.IMAPS, &imapclient.Options{TLSConfig: &tls.Config{RootCAs: s.CA}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Login(ctx, scenarios.User, scenarios.Password); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Select(ctx, "INBOX"); err != nil {
		t.Fatal(err)
	}
	spaces, err := c.Namespaces(ctx)
	if err != nil {
		t.Fatal(err)
	}
	other := spaces.Personal[0].Prefix + "Other"
	c.CreateMailbox(ctx, other) // or it is there
	// The servers that are asked now and then, whatever they offer, are asked
	// often here: Mailutils tells of nothing in IDLE, and Cyrus looks once a
	// minute.
	o := &imapclient.WatchOptions{Avoid: avoid, Mailboxes: []string{other}, Poll: time.Second}
	if s.Kind == servers.Mailutils || s.Kind == servers.Cyrus {
		o.Heartbeat = time.Second
	}
	w, err := c.Watch(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	way := w.Way()
	began, total := time.Now(), 0
	const rounds = 3
	message := scenarios.Messages()[0]
	before := -1 // messages in the other mailbox
	for round := range rounds {
		if before >= 0 {
			if _, err := c.Append(ctx, other, bytes.NewReader(message), int64(len(message)), nil); err != nil {
				t.Fatal(err)
			}
		}
		s.Deliver(t, scenarios.User, scenarios.Messages()[:2]...)
		for now := -1; total < 2*(round+1) || now < 0; {
			n, err := w.Wait(ctx)
			if err != nil {
				t.Fatalf("%v: %v", way, err)
			}
			total += n.Arrived
			for _, m := range n.Mailboxes {
				if int(m.Messages) > before {
					now, before = int(m.Messages), int(m.Messages)
				}
			}
		}
	}
	t.Logf("%v, then %v: %d messages in %v", way, w.Way(), total, time.Since(began))
	// Ending a wait leaves the session usable.
	short, stop := context.WithCancel(ctx)
	time.AfterFunc(50*time.Millisecond, stop)
	if _, err := w.Wait(short); err == nil || c.Err() != nil {
		t.Errorf("%v: Wait = %v, then %v", way, err, c.Err())
	}
	if err := w.Close(ctx); err != nil {
		t.Error(err)
	}
	if err := c.Logout(ctx); err != nil {
		t.Error(err)
	}
}
