package scenarios_test

import (
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
	// The servers that are asked now and then, whatever they offer, are asked
	// often here: Mailutils tells of nothing in IDLE, and Cyrus looks once a
	// minute.
	o := &imapclient.WatchOptions{Avoid: avoid, Poll: time.Second}
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
	for round := range rounds {
		s.Deliver(t, scenarios.User, scenarios.Messages()[:2]...)
		for total < 2*(round+1) {
			n, err := w.Wait(ctx)
			if err != nil {
				t.Fatalf("%v: %v", way, err)
			}
			total += n.Arrived
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
