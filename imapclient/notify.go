package imapclient

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// notifyEvents are what a server is asked to tell of. RFC 5465 section 5. The
// first two are those without which there is no use in it.
var notifyEvents = []string{"MessageNew", "MessageExpunge", "FlagChange", "MailboxName", "SubscriptionChange"}

// notify sets NOTIFY. A server that refuses is watched otherwise, unless that
// cannot be.
func (w *Watch) notify() error {
	w.again = time.Time{}
	events := notifyEvents
	for {
		args := w.notifyArgs(events)
		if args == "" {
			w.way = w.after(WatchNotify)
			if w.o.All {
				return fmt.Errorf("imap: NOTIFY: %d mailboxes are too many for a line: %w", len(w.o.Mailboxes), errors.ErrUnsupported)
			}
			return nil
		}
		lost, before := w.lost, w.lostOnce
		w.notifying = true // it may overflow at once
		err := w.c.run("NOTIFY", args, nil)
		if err == nil {
			return w.notified()
		}
		w.notifying, w.lost, w.lostOnce, w.again = false, lost, before, time.Time{} // nor was anything lost
		refused := (*Error)(nil)
		if !errors.As(err, &refused) || w.c.conn.Err() != nil {
			return err
		}
		if refused.Code == "BADEVENT" {
			if fewer := supported(events, w.c.codeArgs); len(fewer) < len(events) && slices.Equal(fewer[:min(2, len(fewer))], notifyEvents[:2]) {
				events = fewer
				continue
			}
		}
		w.way = w.after(WatchNotify)
		switch {
		case w.lostOnce: // what it did before, it may do again
			w.again = time.Now().Add(w.o.Heartbeat)
		case w.o.All:
			return err
		}
		return nil
	}
}

// notified makes sure that the state of the other mailboxes is known: a server
// says nothing of those that are not there.
func (w *Watch) notified() error {
	if !w.notifying {
		return nil // it is over already
	}
	w.way, w.started = WatchNotify, true
	var unknown []string
	known := w.knownNames()
	for _, name := range w.o.Mailboxes {
		if w.known[name] == nil && !slices.ContainsFunc(known, func(known string) bool { return sameName(name, known) }) {
			unknown = append(unknown, name)
		}
	}
	return w.askFor(unknown)
}

// notifyArgs returns the arguments of NOTIFY, or nothing if they would be too
// long for a line.
func (w *Watch) notifyArgs(events []string) string {
	var ofMessages []string
	for _, e := range events {
		if e != "MailboxName" && e != "SubscriptionChange" { // RFC 5465 section 6.1
			ofMessages = append(ofMessages, e)
		}
	}
	args := "(selected (" + strings.Join(ofMessages, " ") + "))"
	of := " (" + strings.Join(events, " ") + "))"
	if w.o.All {
		args += " (personal" + of
	}
	if len(w.o.Mailboxes) > 0 {
		var names []string
		for _, name := range w.o.Mailboxes {
			names = append(names, w.c.mailbox(name))
		}
		args += " (mailboxes (" + strings.Join(names, " ") + ")" + of
	}
	if w.o.All || len(w.o.Mailboxes) > 0 {
		args = "STATUS " + args
	}
	if len(args) > maxSet {
		return ""
	}
	return "SET " + args
}

// supported returns those of events that a server supports that has answered
// BADEVENT with list.
//
// QUIRK: Dovecot names those that it does not support; RFC 5465 section 8 says
// that it names, in parentheses, those that it does.
func supported(events []string, list []byte) []string {
	inside, good := bytes.CutPrefix(bytes.TrimSpace(list), []byte("("))
	names := strings.Fields(string(bytes.TrimSuffix(inside, []byte(")"))))
	var left []string
	for _, e := range events {
		if slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, e) }) == good {
			left = append(left, e)
		}
	}
	return left
}

// after returns the next way that may be used.
func (w *Watch) after(way WatchWay) WatchWay {
	may := func(way WatchWay) bool { return !slices.Contains(w.o.Avoid, way) && w.c.offers(way.String()) }
	for way++; way < WatchPoll; way++ {
		// IDLE tells as much of one mailbox as NOTIFY does.
		one := way == WatchNotify && len(w.o.Mailboxes) == 0 && !w.o.All && may(WatchIdle)
		if may(way) && !one && !(way == WatchIdle && w.noIdle) {
			break
		}
	}
	return way
}

// overflow: the server has taken NOTIFY back, because there was too much to
// tell (RFC 5465 section 5.8). It is asked again after a while.
func (w *Watch) overflow() {
	if !w.notifying {
		return
	}
	w.notifying, w.lostOnce, w.lost = false, true, true
	w.way, w.again = w.after(WatchNotify), time.Now().Add(w.o.Heartbeat)
}
