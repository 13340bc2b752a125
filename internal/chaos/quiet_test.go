package chaos_test

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"example.com/postbag/retrieval"
)

const (
	calm     = 4 * time.Second // without anything done is quiet
	patience = 4 * time.Minute // until it has to be quiet
)

// line is how an account fares.
type line struct {
	idle int // runs in a row that went well and did nothing
	last told
}

// hear takes an event of the child's.
func (s *stage) hear(e told) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lines[e.Account]
	l.last = e
	s.counts.runs.Add(1)
	switch {
	case e.Kind == retrieval.GivenUp:
		s.given = append(s.given, e.Account+": "+e.Err)
	case e.Err != "":
		s.counts.failedRuns.Add(1)
		s.errs[kindOf(e.Err)]++
		l.idle = 0
	default:
		s.people[e.Account].ok.Add(1)
		l.idle++
	}
	if e.Did {
		l.idle, s.lastDid = 0, time.Now()
	}
}

// kindOf is the end of an error, which many have in common.
func kindOf(err string) string {
	err, _, _ = strings.Cut(err, ", and messages had not come")
	parts := strings.Split(addresses.ReplaceAllString(err, ""), ": ")
	if last := len(parts) - 1; last > 0 && !strings.Contains(parts[last], "no data") {
		return strings.Join(parts[last-1:], ": ")
	}
	return parts[len(parts)-1]
}

var addresses = regexp.MustCompile(` tcp [0-9.:>-]+[0-9]`)

// quiet lets a child work until there is nothing left to do.
func (s *stage) quiet() {
	ledger := filepath.Join(s.task.Dir, "ledger")
	s.counts.quarantined.Add(release(s.t, ledger))
	s.mu.Lock()
	for _, l := range s.lines {
		l.idle = 0
	}
	s.lastDid = time.Now()
	s.mu.Unlock()
	child := start(s.t, s.task, s.hear)
	ctx, stop := context.WithTimeout(s.t.Context(), patience)
	defer stop()
	for tick := time.Tick(100 * time.Millisecond); ; {
		busy := s.busy()
		if busy == "" {
			break
		}
		select {
		case <-tick:
			continue
		case <-ctx.Done():
			s.t.Errorf("it does not become quiet: %s", busy)
		}
		break
	}
	child.stop(s.t)
}

// busy is who is not at rest.
func (s *stage) busy() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for user, l := range s.lines {
		if l.idle < 3 {
			return fmt.Sprintf("%s (%s): %+v", user, s.people[user].role.name, l.last)
		}
	}
	if since := time.Since(s.lastDid); since < calm {
		return fmt.Sprintf("something was done %v ago", since)
	}
	return ""
}
