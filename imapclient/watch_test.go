package imapclient_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/postbag/imapclient"
)

const notifySelected = "C: n1 NOTIFY SET (selected (MessageNew MessageExpunge FlagChange))\nS: n1 OK"

func TestWatchNotify(t *testing.T) {
	watching(t, "NOTIFY", lines(
		`C: n1 NOTIFY SET STATUS (selected (MessageNew MessageExpunge FlagChange)) (mailboxes ("Other" "a b") (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange))`,
		"S: * STATUS Other (MESSAGES 7 UIDNEXT 9 UIDVALIDITY 1)", `S: * STATUS "a b" (MESSAGES 0 UIDNEXT 1)`, "S: n1 OK",
		"~ 1m", "S: * 5 EXISTS", "C: n2 NOOP", "S: n2 OK",
		// Within a second the next news are gathered.
		"S: * 6 EXISTS", "S: * STATUS Other (MESSAGES 8 UIDNEXT 10)", "S: * 1 EXPUNGE", "C: n3 NOOP", "S: n3 OK",
		// What is told of a mailbox as it is known is no news, nor is the selected one's.
		"~ 1m", "S: * STATUS Other (UIDVALIDITY 1)", "S: * STATUS INBOX (MESSAGES 5)", "~ 1m", `S: * LIST (\NonExistent) "/" Other`, "C: n4 NOOP", "S: n4 OK",
		// So is what is told between two waits.
		"C: n5 UID SEARCH ALL", `S: * STATUS "a b" (MESSAGES 1 UIDNEXT 2)`, "S: * SEARCH 5", "S: n5 OK",
		"C: n6 NOTIFY NONE", "S: n6 OK", "C: n7 NOOP", "S: * STATUS Other (MESSAGES 1)", "S: n7 OK"),
		&imapclient.WatchOptions{Mailboxes: []string{"Other", "a b"}}, func(t *testing.T, c *imapclient.Client, w *imapclient.Watch) {
			wantWay(t, w, imapclient.WatchNotify)
			waits(t, w, "4+0-0~0 Other:7,9 a b:0,1", 0)
			waits(t, w, "5+1-0~0", time.Minute)
			waits(t, w, "5+1-1~0 Other:8,10", time.Second)
			waits(t, w, `5+0-0~0 Other[\NonExistent]`, 2*time.Minute)
			_, err := c.Search(t.Context(), nil, nil)
			wants(t, "Search", err, nil)
			time.Sleep(time.Minute)
			waits(t, w, "5+0-0~0 a b:1,2", 0)
			_, err = c.Watch(t.Context(), nil)
			wants(t, "another Watch", err, imapclient.ErrBusy)
			wants(t, "Close", w.Close(t.Context()), nil)
			wants(t, "Close again", w.Close(t.Context()), nil)
			_, err = c.Noop(t.Context())
			wants(t, "Noop", err, nil)
			if _, err := w.Wait(t.Context()); err == nil || c.Err() != nil {
				t.Errorf("Wait on a watch that is over: %v, %v", err, c.Err())
			}
		})
}

func TestWatchNotifyRefused(t *testing.T) {
	for _, tt := range []struct {
		name, script string
		way          imapclient.WatchWay
	}{
		{"BADEVENT as in the RFC", lines("C: n1 NOTIFY SET …", "S: n1 NO [BADEVENT (MessageNew MessageExpunge MailboxName)] no", "C: n2 NOTIFY SET (selected (MessageNew MessageExpunge))", "S: n2 OK"), imapclient.WatchNotify},
		{"BADEVENT as Dovecot says it", lines("C: n1 NOTIFY SET …", "S: n1 NO [BADEVENT FlagChange] Unsupported NOTIFY events", "C: n2 NOTIFY SET (selected (MessageNew MessageExpunge))", "S: n2 OK"), imapclient.WatchNotify},
		{"BADEVENT without what matters", lines("C: n1 NOTIFY SET …", "S: n1 NO [BADEVENT (MailboxName)] no"), imapclient.WatchPoll},
		{"BADEVENT again", lines("C: n1 NOTIFY SET …", "S: n1 NO [BADEVENT FlagChange] no", "C: n2 NOTIFY SET …", "S: n2 NO [BADEVENT FlagChange] no"), imapclient.WatchPoll},
		{"BADEVENT of nothing", lines("C: n1 NOTIFY SET …", "S: n1 NO [BADEVENT] no"), imapclient.WatchPoll},
		{"overflow", lines("C: n1 NOTIFY SET …", "S: n1 NO [NOTIFICATIONOVERFLOW] no"), imapclient.WatchPoll},
		{"BAD", lines("C: n1 NOTIFY SET …", "S: n1 BAD what?"), imapclient.WatchPoll},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := selected(t, "NOTIFY", tt.script)
			w, err := c.Watch(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			wantWay(t, w, tt.way)
		})
	}
}

// A server that takes NOTIFY back is watched by IDLE for a while.
func TestWatchOverflow(t *testing.T) {
	set := func(tag string) string {
		return strings.TrimSuffix(lines("C: "+tag+" NOTIFY SET STATUS …", "S: * STATUS Other (MESSAGES 1)", "S: "+tag+" OK"), "\n")
	}
	watching(t, "NOTIFY IDLE", lines(set("n1"), "C: i1 IDLE", "S: + idling", "~ 1m", "S: * OK [NOTIFICATIONOVERFLOW] too much", "C: DONE", "S: i1 OK", `C: s1 STATUS "Other" …`, "S: * STATUS Other (MESSAGES 1)", "S: s1 OK",
		"C: i2 IDLE", "S: + idling", "~ 1m", "S: * 5 EXISTS", "C: DONE", "S: i2 OK",
		"C: i3 IDLE", "S: + idling", "C: DONE", "S: i3 OK", "C: i4 NOOP", "S: i4 OK", `C: s2 STATUS "Other" …`, "S: * STATUS Other (MESSAGES 2)", "S: s2 OK",
		set("n2"), "C: i5 IDLE", "S: + idling", "S: * 6 EXISTS", "C: DONE", "S: i5 OK"),
		&imapclient.WatchOptions{Mailboxes: []string{"Other"}, Heartbeat: 4 * time.Minute}, func(t *testing.T, c *imapclient.Client, w *imapclient.Watch) {
			waits(t, w, "4+0-0~0 Other:1,0", 0)
			wantWay(t, w, imapclient.WatchNotify)
			waits(t, w, "4+0-0~0 lost", time.Minute)
			wantWay(t, w, imapclient.WatchIdle)
			waits(t, w, "5+1-0~0", time.Minute)
			waits(t, w, "5+0-0~0 Other:2,0", 2*time.Minute)
			time.Sleep(time.Minute)
			waits(t, w, "6+1-0~0 Other:1,0", 0)
			wantWay(t, w, imapclient.WatchNotify)
		})
}

// NOTIFY goes on without IDLE that is refused.
func TestWatchNotifyWithoutIdle(t *testing.T) {
	watching(t, "NOTIFY IDLE", lines("C: n1 NOTIFY SET STATUS …", "S: * STATUS Other (MESSAGES 1)", "S: n1 OK", "C: i1 IDLE", "S: i1 NO no", "~ 1m", "S: * STATUS Other (MESSAGES 2)", "C: n2 NOOP", "S: n2 OK"),
		&imapclient.WatchOptions{Mailboxes: []string{"Other"}}, func(t *testing.T, c *imapclient.Client, w *imapclient.Watch) {
			waits(t, w, "4+0-0~0 Other:1,0", 0)
			waits(t, w, "4+0-0~0 Other:2,0", time.Minute)
			wantWay(t, w, imapclient.WatchNotify)
		})
}

func TestWatchAll(t *testing.T) {
	const all = "C: n1 NOTIFY SET STATUS (selected (MessageNew MessageExpunge FlagChange)) (personal (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange))"
	watching(t, "NOTIFY", lines(all, "S: * STATUS a (MESSAGES 1)", "S: * STATUS INBOX (MESSAGES 4)", "S: n1 OK", "~ 1m", `S: * LIST () "/" b`, "C: n2 NOOP", "S: n2 OK",
		`C: n3 STATUS "b" …`, "S: * STATUS a (MESSAGES 2)", "S: * STATUS b (MESSAGES 0)", "S: n3 OK"),
		&imapclient.WatchOptions{All: true}, func(t *testing.T, c *imapclient.Client, w *imapclient.Watch) {
			waits(t, w, "4+0-0~0 a:1,0", 0)
			waits(t, w, "4+0-0~0 b[]", time.Minute)
			_, err := c.Status(t.Context(), "b", imapclient.StatusMessages)
			wants(t, "Status", err, nil)
			time.Sleep(time.Second)
			waits(t, w, "4+0-0~0 a:2,0 b:0,0", 0)
		})
	c := selected(t, "IDLE", "")
	_, err := c.Watch(t.Context(), &imapclient.WatchOptions{All: true})
	wants(t, "without NOTIFY", err, errors.ErrUnsupported)
	c = selected(t, "NOTIFY", lines(all, "S: n1 NO [NOTIFICATIONOVERFLOW] no"))
	refused := (*imapclient.Error)(nil)
	if _, err = c.Watch(t.Context(), &imapclient.WatchOptions{All: true}); !errors.As(err, &refused) {
		t.Errorf("refused: %v", err)
	}
}

// Without NOTIFY other mailboxes are asked about.
func TestWatchOthersByStatus(t *testing.T) {
	ask := func(n string, others ...string) string {
		l := []string{`C: ` + n + `1 STATUS "Other" (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)`, `C: ` + n + `2 STATUS "None" (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)`}
		return strings.TrimSuffix(lines(append(l, others...)...), "\n")
	}
	o := &imapclient.WatchOptions{Mailboxes: []string{"Other", "inbox", "None"}}
	watching(t, "IDLE", lines(
		ask("a", "S: * STATUS Other (MESSAGES 7 UIDNEXT 9)", "S: a1 OK", "S: a2 NO [NONEXISTENT] no"),
		"C: i1 IDLE", "S: + idling", "~ 1m", "S: * 5 EXISTS", "C: DONE", "S: i1 OK",
		"C: i2 IDLE", "S: + idling", "C: DONE", "S: i2 OK", "C: i3 NOOP", "S: i3 OK",
		ask("b", "S: * STATUS Other (MESSAGES 8 UIDNEXT 10)", "S: b1 OK", "S: b2 NO [NONEXISTENT] no"),
		"C: i4 IDLE", "S: + idling", "C: DONE", "S: i4 OK", "C: i5 NOOP", "S: i5 OK",
		// A refusal is believed only if the mailbox is not listed either.
		ask("c", "S: c1 NO not now", "S: c2 NO not now", `C: c3 LIST "" Other`, `S: * LIST () "/" Other`, "S: c3 OK", `C: c4 LIST "" None`, "S: c4 OK"),
		"C: i6 IDLE", "S: + idling", "C: DONE", "S: i6 OK", "C: i7 NOOP", "S: i7 OK",
		ask("d", "S: d1 NO no", "S: * STATUS None (MESSAGES 0 UIDNEXT 1)", "S: d2 OK", `C: d3 LIST "" Other`, "S: d3 OK")),
		o, func(t *testing.T, c *imapclient.Client, w *imapclient.Watch) {
			waits(t, w, `4+0-0~0 Other:7,9 None[\NonExistent]`, 0)
			waits(t, w, "5+1-0~0", time.Minute)
			waits(t, w, "5+0-0~0 Other:8,10", 2*time.Minute)
			waits(t, w, `5+0-0~0 None:0,1 Other[\NonExistent]`, 4*time.Minute)
		})
}

// Ending the context ends a wait, and no more.
func TestWatchCancel(t *testing.T) {
	for _, tt := range []struct {
		extensions, script string
	}{
		{"NOTIFY", lines(notifySelected, "C: a1 NOOP", "S: a1 OK", "C: a2 NOOP", "S: a2 OK")},
		{"IDLE", lines("C: a1 IDLE", "S: + idling", "C: DONE", "S: a1 OK", "C: a2 NOOP", "S: a2 OK")},
		{"", lines("C: a1 NOOP", "S: a1 OK", "C: a2 NOOP", "S: a2 OK", "C: a3 NOOP", "S: a3 OK")},
	} {
		watching(t, tt.extensions, tt.script, nil, func(t *testing.T, c *imapclient.Client, w *imapclient.Watch) {
			cause := errors.New("enough")
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, cause)
			defer cancel()
			began := time.Now()
			_, err := w.Wait(ctx)
			wants(t, tt.extensions, err, cause)
			if took := time.Since(began); took != time.Minute {
				t.Errorf("%s: Wait ended after %v", tt.extensions, took)
			}
			_, err = w.Wait(ctx)
			wants(t, "Wait again", err, cause)
			_, err = c.Noop(t.Context())
			wants(t, "Noop", err, nil)
		})
	}
	// A server that does not answer does not hold the client.
	watching(t, "", lines("C: a1 NOOP", "~ 1h"), nil, func(t *testing.T, c *imapclient.Client, w *imapclient.Watch) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if _, err := w.Wait(ctx); err == nil || time.Since(began) > 12*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

func TestWatchOptions(t *testing.T) {
	for _, tt := range []struct {
		extensions string
		avoid      []imapclient.WatchWay
		script     string
		way        imapclient.WatchWay
	}{
		{"NOTIFY IDLE", []imapclient.WatchWay{imapclient.WatchNotify}, "", imapclient.WatchIdle},
		{"NOTIFY IDLE", nil, "", imapclient.WatchIdle},
		{"NOTIFY IDLE", []imapclient.WatchWay{imapclient.WatchIdle}, notifySelected, imapclient.WatchNotify},
		{"NOTIFY IDLE", []imapclient.WatchWay{imapclient.WatchIdle}, "C: n1 NOTIFY SET …\nS: n1 BAD no", imapclient.WatchPoll},
		{"NOTIFY IDLE", []imapclient.WatchWay{imapclient.WatchIdle, imapclient.WatchNotify, imapclient.WatchPoll}, "", imapclient.WatchPoll},
		{"", nil, "", imapclient.WatchPoll},
	} {
		c := selected(t, tt.extensions, lines(tt.script))
		w, err := c.Watch(t.Context(), &imapclient.WatchOptions{Avoid: tt.avoid})
		if err != nil {
			t.Fatal(err)
		}
		wantWay(t, w, tt.way)
	}
	c := selected(t, "IDLE", "")
	for _, name := range []string{"", "a\r\nb", "\x00"} {
		if _, err := c.Watch(t.Context(), &imapclient.WatchOptions{Mailboxes: []string{name}}); err == nil {
			t.Errorf("the mailbox %q is watched", name)
		}
	}
	c = authed(t, "IDLE", "")
	if _, err := c.Watch(t.Context(), nil); err == nil {
		t.Error("nothing is watched")
	}
}

// A body that is under way is not disturbed by what NOTIFY tells.
func TestWatchWhileFetching(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := selected(t, "NOTIFY", lines(`C: n1 NOTIFY SET …`, "S: * STATUS Other (MESSAGES 1)", "S: n1 OK", "C: a1 UID FETCH 1:2 …",
			"S: * 1 FETCH (UID 1 BODY[] {3}", "S: a", "S: )", "S: * STATUS Other (MESSAGES 2)", "S: * 5 EXISTS", "S: * 2 FETCH (UID 2 BODY[] {3}", "S: b", "S: )", "S: a1 OK"))
		defer c.Close()
		w, err := c.Watch(t.Context(), &imapclient.WatchOptions{Mailboxes: []string{"Other"}})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, err := range c.Bodies(t.Context(), 1, 2) {
			if err == nil {
				n++
			}
			if _, err := w.Wait(t.Context()); !errors.Is(err, imapclient.ErrBusy) {
				t.Errorf("Wait within the loop: %v", err)
			}
		}
		if n != 2 {
			t.Errorf("%d messages", n)
		}
		waits(t, w, "5+1-0~0 Other:2,0", 0)
	})
}
