package scenarios

import (
	"context"
	"strings"
	"testing"
	"time"

	"example.com/postbag/imapclient"
)

// imapWatch watches INBOX and other mailboxes, in which it makes the news
// itself.
func imapWatch(t testing.TB, server string, c *imapclient.Client) {
	defer c.Close()
	prefix := imapPrefix(t, c)
	other, none := prefix+"Watched", prefix+"Missing"
	_, err := c.CreateMailbox(t.Context(), other)
	check(t, "CreateMailbox", err)
	if _, err := c.Select(t.Context(), "INBOX"); !check(t, "Select", err) {
		return
	}
	w, err := c.Watch(t.Context(), &imapclient.WatchOptions{Mailboxes: []string{other, none}, Heartbeat: 500 * time.Millisecond, Poll: 500 * time.Millisecond, Gather: -1})
	if !check(t, "Watch", err) {
		return
	}
	if way := w.Way(); (way == imapclient.WatchNotify) != (server == "dovecot") || way == imapclient.WatchPoll {
		t.Errorf("%s is watched by %v", server, way)
	}
	// until waits for news of a kind.
	until := func(what string, is func(imapclient.News) bool) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		for range 10 {
			n, err := w.Wait(ctx)
			if !check(t, "Wait", err) {
				return
			}
			if is(n) {
				return
			}
		}
		t.Errorf("%s: no news of %s", server, what)
	}
	var watched, missing bool
	until("how it is", func(n imapclient.News) bool {
		for _, s := range n.Mailboxes {
			watched = watched || s.Name == other && s.Messages == 0 && s.UIDValidity > 0
		}
		for _, m := range n.Listed {
			missing = missing || m.Name == none && m.Has(`\NonExistent`)
		}
		return watched && missing
	})
	message := string(Messages()[0])
	for _, box := range []string{other, "INBOX"} {
		_, err := c.Append(t.Context(), box, strings.NewReader(message), int64(len(message)), nil)
		check(t, "Append", err)
		until("a message in "+box, func(n imapclient.News) bool {
			if box == "INBOX" {
				return n.Arrived == 1
			}
			for _, s := range n.Mailboxes {
				if s.Name == box && s.Messages == 1 {
					return true
				}
			}
			return false
		})
	}
	check(t, "Close", w.Close(t.Context()))
	check(t, "DeleteMailbox", c.DeleteMailbox(t.Context(), other))
	check(t, "Logout", c.Logout(t.Context()))
}
