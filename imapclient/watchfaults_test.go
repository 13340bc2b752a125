package imapclient_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/postbag/imapclient"
	"example.com/postbag/internal/session"
)

// watching is a watch on a mailbox of 4 messages, in a bubble of time.
func watching(t *testing.T, extensions, script string, o *imapclient.WatchOptions, do func(t *testing.T, c *imapclient.Client, w *imapclient.Watch)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := selected(t, extensions, script)
		defer c.Close()
		w, err := c.Watch(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		do(t, c, w)
	})
}

// waits checks what Wait returns, and how long it takes.
func waits(t *testing.T, w *imapclient.Watch, want string, after time.Duration) {
	t.Helper()
	began := time.Now()
	n, err := w.Wait(t.Context())
	if got := showNews(n); err != nil || got != want || time.Since(began) != after {
		t.Errorf("Wait = %s, %v after %v, want %s after %v", got, err, time.Since(began), want, after)
	}
}

func showNews(n imapclient.News) string {
	s := fmt.Sprintf("%d+%d-%d~%d", n.Messages, n.Arrived, n.Expunged, n.Changed)
	for _, m := range n.Mailboxes {
		s += fmt.Sprintf(" %s:%d,%d", m.Name, m.Messages, m.UIDNext)
	}
	for _, m := range n.Listed {
		s += fmt.Sprintf(" %s%v", m.Name, m.Attributes)
	}
	if n.Lost {
		s += " lost"
	}
	return s
}

func wantWay(t *testing.T, w *imapclient.Watch, want imapclient.WatchWay) {
	t.Helper()
	if got := w.Way(); got != want {
		t.Errorf("the way is %v, want %v", got, want)
	}
}

// TestWatchFaults are faults that befall a watch, each with its number in the
// catalogue (tools.md section 9).
func TestWatchFaults(t *testing.T) {
	for _, answer := range []string{"NO not now", "BAD what?", "OK but no +"} {
		t.Run("F88 IDLE is refused with "+answer, func(t *testing.T) {
			watching(t, "IDLE", lines("C: a1 IDLE", "S: a1 "+answer, "C: a2 NOOP", "S: a2 OK", "~ 1m", "C: a3 NOOP", "S: * 5 EXISTS", "S: a3 OK"), nil, func(t *testing.T, c *imapclient.Client, w *imapclient.Watch) {
				wantWay(t, w, imapclient.WatchIdle)
				waits(t, w, "5+1-0~0", 2*time.Minute)
				wantWay(t, w, imapclient.WatchPoll)
			})
		})
	}
	t.Run("F88 IDLE is refused for a while", func(t *testing.T) {
		watching(t, "IDLE", lines("C: a1 IDLE", "S: a1 NO throttled. Suggested Backoff Time: 600000 milliseconds", "C: a2 NOOP", "S: * 5 EXISTS", "S: a2 OK"), nil, func(t *testing.T, c *imapclient.Client, w *imapclient.Watch) {
			waits(t, w, "5+1-0~0", 10*time.Minute)
		})
	})
	t.Run("F88 no plus", func(t *testing.T) {
		watching(t, "IDLE", lines("C: a1 IDLE", "C: DONE", "S: a1 OK", "C: a2 NOOP", "S: * 5 EXISTS", "S: a2 OK"), nil, func(t *testing.T, c *imapclient.Client, w *imapclient.Watch) {
			waits(t, w, "5+1-0~0", 10*time.Second)
			wantWay(t, w, imapclient.WatchPoll)
		})
	})
	t.Run("F88 no plus and no end", func(t *testing.T) {
		watching(t, "IDLE", lines("C: a1 IDLE", "C: DONE", "~ 1h"), nil, func(t *testing.T, c *imapclient.Client, w *imapclient.Watch) {
			_, err := w.Wait(t.Context())
			wants(t, "Wait", err, imapclient.ErrUnavailable)
		})
	})
	t.Run("F88 news around DONE", func(t *testing.T) {
		watching(t, "IDLE", lines("C: a1 IDLE", "S: * 5 EXISTS", "S: + idling", "C: DONE", "S: * 1 EXPUNGE", "S: * 2 FETCH (FLAGS (\\Seen))", "S: a1 OK"), nil, func(t *testing.T, c *imapclient.Client, w *imapclient.Watch) {
			waits(t, w, "4+1-1~1", 0)
		})
	})
	t.Run("F88 IDLE ends at once", func(t *testing.T) {
		var script []string
		for i := 1; i <= 3; i++ {
			script = append(script, fmt.Sprintf("C: a%d IDLE", i), "S: + idling", fmt.Sprintf("S: a%d OK", i))
		}
		script = append(script, "C: b1 NOOP", "S: b1 OK", "C: b2 NOOP", "S: * 5 EXISTS", "S: b2 OK")
		watching(t, "IDLE", lines(script...), nil, func(t *testing.T, c *imapclient.Client, w *imapclient.Watch) {
			waits(t, w, "5+1-0~0", 2*time.Minute)
			wantWay(t, w, imapclient.WatchPoll)
		})
	})
	t.Run("F89 never a word", func(t *testing.T) {
		round := func(i int, news ...string) []string {
			return append(append([]string{fmt.Sprintf("C: a%d IDLE", i), "S: + idling", "~ 5m", "C: DONE", fmt.Sprintf("S: a%d OK", i), fmt.Sprintf("C: b%d NOOP", i)}, news...), fmt.Sprintf("S: b%d OK", i))
		}
		script := append(append(round(1), round(2, "S: * 5 EXISTS")...), round(3, "S: * 6 EXISTS")...)
		script = append(script, "~ 2m", "C: c1 NOOP", "S: * 7 EXISTS", "S: c1 OK")
		watching(t, "IDLE", lines(script...), &imapclient.WatchOptions{Heartbeat: 5 * time.Minute}, func(t *testing.T, c *imapclient.Client, w *imapclient.Watch) {
			waits(t, w, "5+1-0~0", 10*time.Minute)
			waits(t, w, "6+1-0~0", 5*time.Minute)
			wantWay(t, w, imapclient.WatchPoll) // the server's IDLE is none
			waits(t, w, "7+1-0~0", 2*time.Minute)
		})
	})
	t.Run("F89 the heartbeat is at most 28 minutes", func(t *testing.T) {
		watching(t, "IDLE", lines("C: a1 IDLE", "S: + idling", "~ 28m", "C: DONE", "S: * 5 EXISTS", "S: a1 OK"), &imapclient.WatchOptions{Heartbeat: 3 * time.Hour}, func(t *testing.T, c *imapclient.Client, w *imapclient.Watch) {
			waits(t, w, "5+1-0~0", 28*time.Minute)
		})
	})
	t.Run("F89 the line is dead", func(t *testing.T) {
		for _, tt := range []struct {
			extensions, ask string
		}{{"IDLE", "C: a1 IDLE\nS: + idling\nC: DONE\n~ 1h"}, {"NOTIFY", "C: a1 NOTIFY SET …\nS: a1 OK\nC: a2 NOOP\n~ 1h"}} {
			watching(t, tt.extensions, lines(tt.ask), nil, func(t *testing.T, c *imapclient.Client, w *imapclient.Watch) {
				began := time.Now()
				_, err := w.Wait(t.Context())
				wants(t, tt.extensions, err, imapclient.ErrUnavailable)
				if took := time.Since(began); took != 10*time.Minute+10*time.Second {
					t.Errorf("it is noticed after %v", took)
				}
			})
		}
	})
	t.Run("F90 BYE", func(t *testing.T) {
		for _, extensions := range []string{"IDLE", "NOTIFY", ""} {
			begin := map[string]string{"IDLE": "C: a1 IDLE\nS: + idling", "NOTIFY": "C: a1 NOTIFY SET (selected (MessageNew MessageExpunge FlagChange))\nS: a1 OK", "": "C: a1 NOOP\nS: a1 OK"}[extensions]
			watching(t, extensions, lines(begin, "~ 1m", "S: * BYE Request is throttled. Suggested Backoff Time: 92415 milliseconds", "= CLOSE"), nil, func(t *testing.T, c *imapclient.Client, w *imapclient.Watch) {
				began := time.Now()
				_, err := w.Wait(t.Context())
				bye := (*imapclient.Error)(nil)
				if !errors.As(err, &bye) || bye.Status != "BYE" || bye.RetryAfter != 92415*time.Millisecond || !errors.Is(err, imapclient.ErrUnavailable) || time.Since(began) != time.Minute {
					t.Errorf("%s: %v after %v", extensions, err, time.Since(began))
				}
			})
		}
	})
	for _, leap := range []time.Duration{365 * 24 * time.Hour, 8 * time.Hour, -365 * 24 * time.Hour} {
		t.Run(fmt.Sprintf("F91 the time of day leaps by %v", leap), func(t *testing.T) {
			after := 10 * time.Minute // nothing is made of it
			if leap > 0 {
				after = 3 * time.Minute // the machine may have slept
			}
			watching(t, "IDLE", lines("C: a1 IDLE", "S: + idling", "C: DONE", "S: * 5 EXISTS", "S: a1 OK"), nil, func(t *testing.T, c *imapclient.Client, w *imapclient.Watch) {
				began := time.Now()
				imapclient.SetWall(w, func() time.Time {
					now := time.Now()
					if now.Sub(began) > 2*time.Minute {
						now = now.Add(leap)
					}
					return now
				})
				waits(t, w, "5+1-0~0", after)
			})
		})
	}
	t.Run("F92 a storm", func(t *testing.T) {
		for _, stops := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) { storm(t, stops) })
		}
	})
}

// storm is a server that sends 100,000 EXISTS a second, until DONE or for ever.
func storm(t *testing.T, stops bool) {
	client, server := session.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		fmt.Fprint(server, "* PREAUTH [CAPABILITY IMAP4rev1 IDLE] hello\r\n")
		in := bufio.NewScanner(server)
		for n := 0; in.Scan(); {
			tag, rest, _ := strings.Cut(in.Text(), " ")
			if rest != "IDLE" {
				fmt.Fprintf(server, "* 4 EXISTS\r\n%s OK done\r\n", tag)
				continue
			}
			fmt.Fprint(server, "+ idling\r\n")
			said := make(chan bool)
			go func() { said <- in.Scan() }()
			for idling := true; idling; {
				select {
				case <-said:
					idling = !stops
				case <-ctx.Done():
					return
				case <-time.After(10 * time.Millisecond):
					var b bytes.Buffer
					for range 1000 {
						n++
						fmt.Fprintf(&b, "* %d EXISTS\r\n", n)
					}
					server.Write(b.Bytes())
				}
			}
			fmt.Fprintf(server, "%s OK done\r\n", tag)
		}
	}()
	c, err := imapclient.New(t.Context(), client, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); c.Close(); server.Close(); <-done }()
	if _, err := c.Select(t.Context(), "INBOX"); err != nil {
		t.Fatal(err)
	}
	w, err := c.Watch(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !stops {
		_, err := w.Wait(t.Context())
		wants(t, "Wait in a storm that does not end", err, imapclient.ErrUnavailable)
		return
	}
	began, total := time.Now(), 0
	const times = 10
	for range times {
		n, err := w.Wait(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		total += n.Arrived
	}
	if took := time.Since(began); took < (times-1)*time.Second || took > (times+1)*time.Second || total < 850_000 {
		t.Errorf("%d news after %v tell of %d messages", times, took, total)
	}
}
