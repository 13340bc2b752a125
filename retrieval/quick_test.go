package retrieval_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// quick is an account on a server without a network, with a sink and a store
// in memory, and a clock that stands still but for time.Sleep.
type quick struct {
	t      *testing.T
	server *retrievaltest.Server
	acct   retrieval.Account
	shelf  *shelf
	store  retrieval.Store
}

// quickly runs f for each of the protocols.
func quickly(t *testing.T, o *retrievaltest.ServerOptions, f func(t *testing.T, q *quick), ps ...retrieval.Protocol) {
	t.Helper()
	if len(ps) == 0 {
		ps = protocols
	}
	for _, p := range ps {
		t.Run(string(p), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				opts := retrievaltest.ServerOptions{}
				if o != nil {
					opts = *o
				}
				opts.InMemory = true
				q := &quick{t: t, server: retrievaltest.NewServer(t, &opts), shelf: newShelf(), store: new(retrieval.Memory)}
				q.acct = q.server.Account(p)
				f(t, q)
			})
		})
	}
}

// run runs, and fails the test if that is not without error.
func (q *quick) run() retrieval.Report {
	q.t.Helper()
	rep, err := q.try()
	if err != nil {
		q.t.Fatal(err)
	}
	return rep
}

func (q *quick) try() (retrieval.Report, error) {
	return retrieval.Run(q.t.Context(), q.acct, q.shelf, q.store)
}

// want fails unless the shelf has messages with these subjects, in any order,
// and the server those.
func (q *quick) want(here, there string) {
	q.t.Helper()
	if got := q.shelf.subjects(); got != here {
		q.t.Errorf("here is %q, want %q", got, here)
	}
	var subjects []string
	for _, m := range q.server.Contents() {
		subjects = append(subjects, subject(string(m.Data)))
	}
	slices.Sort(subjects)
	if got := strings.Join(subjects, " "); got != there {
		q.t.Errorf("on the server is %q, want %q", got, there)
	}
}

// mail is a message with a subject and a body of n octets.
func mail(subject string, n int) []byte {
	return fmt.Appendf(nil, "From: %[1]s@example.com\r\nSubject: %[1]s\r\nMessage-ID: <%[1]s@example.com>\r\n\r\n%[2]s\r\n", subject, strings.Repeat("x", n))
}

func subject(m string) string {
	_, after, _ := strings.Cut(m, "Subject: ")
	s, _, _ := strings.Cut(after, "\r\n")
	return s
}

// days lets so much time pass.
func days(n float64) { time.Sleep(time.Duration(n * 24 * float64(time.Hour))) }

// shelf is a sink in memory that can do what a sink can do.
type shelf struct {
	mu     sync.Mutex // of what Deliver changes, for tests that look while a Watch goes on
	n      int
	copies map[string]string // by ref
	flags  map[string][]retrieval.Flag
	heads  map[string]bool // refs of header sections
	noted  map[retrieval.Box]string
	refuse func(m *retrieval.Message, data string) error
	found  func(retrieval.Record) (string, bool)
}

func newShelf() *shelf {
	return &shelf{copies: make(map[string]string), flags: make(map[string][]retrieval.Flag), heads: make(map[string]bool), noted: make(map[retrieval.Box]string)}
}

func (s *shelf) Deliver(_ context.Context, m *retrieval.Message) (string, error) {
	data, err := io.ReadAll(m)
	if err != nil {
		return "", err
	}
	if s.refuse != nil {
		if err := s.refuse(m, string(data)); err != nil {
			return "", err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	ref := fmt.Sprint(m.Box.Mailbox, " ", s.n)
	s.copies[ref], s.flags[ref], s.heads[ref] = string(data), m.Flags, m.HeaderOnly
	return ref, nil
}

func (s *shelf) Find(_ context.Context, _ retrieval.Box, intent retrieval.Record) (string, bool, error) {
	if s.found == nil {
		return "", false, nil
	}
	ref, ok := s.found(intent)
	return ref, ok, nil
}

func (s *shelf) SetFlags(_ context.Context, ref string, flags []retrieval.Flag) (string, error) {
	if _, ok := s.copies[ref]; !ok {
		return "", retrieval.ErrGone
	}
	s.flags[ref] = flags
	return ref, nil
}

func (s *shelf) Discard(_ context.Context, ref string) error {
	if _, ok := s.copies[ref]; !ok {
		return retrieval.ErrGone
	}
	delete(s.copies, ref)
	return nil
}

func (s *shelf) Witnessed(_ context.Context, box retrieval.Box) (string, error) {
	return s.noted[box], nil
}

func (s *shelf) Note(_ context.Context, box retrieval.Box, store string) error {
	s.noted[box] = store
	return nil
}

// subjects returns what is on the shelf: in brackets, header sections alone.
func (s *shelf) subjects() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var subjects []string
	for ref, m := range s.copies {
		if s.heads[ref] {
			subjects = append(subjects, "("+subject(m)+")")
		} else {
			subjects = append(subjects, subject(m))
		}
	}
	slices.Sort(subjects)
	return strings.Join(subjects, " ")
}
