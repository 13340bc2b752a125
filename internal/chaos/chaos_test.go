package chaos_test

import (
	"context"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"example.com/postbag/internal/servers"
)

// How a short run goes; POSTBAG_CHAOS makes a long one.
const (
	shortTime     = 6 * time.Second
	shortAccounts = 13 // each role once
	longAccounts  = 50
)

// stage is all that takes part.
type stage struct {
	t      *testing.T
	seed   uint64
	task   *task
	people map[string]*person
	second *second
	prog   *program
	counts counts

	mu      sync.Mutex
	lines   map[string]*line
	lastDid time.Time
	given   []string // up
	errs    map[string]int
}

// TestChaos: 10 minutes of it, if POSTBAG_CHAOS says so. Then each message is
// here exactly once, to the octet, both sides of those in step are alike, and
// what is nobody's business here is as it was.
func TestChaos(t *testing.T) {
	length, accounts := shortTime, shortAccounts
	if v := os.Getenv("POSTBAG_CHAOS"); v != "" {
		d, err := time.ParseDuration(v)
		if err != nil {
			t.Fatal(err)
		}
		length, accounts = d, longAccounts
	} else if testing.Short() {
		t.Skip("chaos takes half a minute")
	}
	s := newStage(t, accounts)
	proxies := []*proxy{
		startProxy(t, s.second.server.POP3, s.random(1), &s.counts),
		startProxy(t, s.second.server.IMAP, s.random(2), &s.counts),
	}
	s.task.POP3, s.task.IMAP = proxies[0].port(), proxies[1].port()
	s.chaos(length, proxies)
	for _, p := range proxies {
		p.beCalm()
	}
	s.quiet()
	s.check(length)
}

func newStage(t *testing.T, accounts int) *stage {
	t.Helper()
	s := &stage{t: t, seed: rand.Uint64N(1_000_000), people: make(map[string]*person), lines: make(map[string]*line), errs: make(map[string]int)}
	if v := os.Getenv("POSTBAG_CHAOS_SEED"); v != "" {
		var err error
		if s.seed, err = strconv.ParseUint(v, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	var users []servers.User
	for i := range accounts {
		p := newPerson(i)
		s.people[p.user], s.lines[p.user] = p, new(line)
		users = append(users, servers.User{Name: p.user, Password: password})
	}
	server := servers.Start(t, servers.Dovecot, users...)
	t.Logf("POSTBAG_CHAOS_SEED=%d", s.seed)
	s.task = &task{Accounts: accounts, CAFile: server.CAFile, Dir: t.TempDir()}
	s.second = &second{server: server, counts: &s.counts, burst: make(chan bool), deliver: func(user string, text []byte) { server.Deliver(t, user, text) }}
	s.prog = &program{people: s.people, counts: &s.counts}
	rng := s.random(3)
	for i := range accounts {
		p := s.people[userOf(i)]
		t.Cleanup(func() {
			if p.client != nil {
				p.client.Close()
			}
		})
		if err := s.second.prepare(t.Context(), p, rng); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// random returns the source of randomness of one of those who take part.
func (s *stage) random(who uint64) *rand.Rand { return rand.New(rand.NewPCG(s.seed, who)) }

// chaos lets everybody loose.
func (s *stage) chaos(length time.Duration, proxies []*proxy) {
	ctx, stop := context.WithTimeout(s.t.Context(), length)
	defer stop()
	const clients, programs = 3, 2
	var all sync.WaitGroup
	for w := range clients {
		all.Go(func() { s.secondClient(ctx, w, clients, s.random(uint64(10+w))) })
	}
	for w := range programs {
		all.Go(func() { s.mailProgram(ctx, w, programs, s.random(uint64(20+w))) })
	}
	all.Go(func() {
		rng := s.random(4)
		for pause(ctx, rng, 8*time.Second) {
			s.counts.cuts.Add(int64(proxies[rng.IntN(len(proxies))].cutAll()))
		}
	})
	rng := s.random(5)
	for ctx.Err() == nil {
		child := start(s.t, s.task, s.hear)
		s.live(ctx, min(8*time.Second, length/4), rng)
		if rng.IntN(8) == 0 {
			s.counts.stops.Add(1)
			child.stop(s.t)
		} else {
			s.counts.kills.Add(1)
			child.kill(s.t)
		}
		if rng.IntN(2) == 0 {
			pause(ctx, rng, 1500*time.Millisecond) // the others go on
		}
	}
	all.Wait()
}

// live waits for as long as a child lives: until some moments after much mail has
// come, or any time; now and then hardly at all.
func (s *stage) live(ctx context.Context, longest time.Duration, rng *rand.Rand) {
	switch rng.IntN(4) {
	case 0:
		pause(ctx, rng, 600*time.Millisecond)
	case 1:
		pause(ctx, rng, longest)
	default:
		select {
		case <-s.second.burst:
			pause(ctx, rng, 150*time.Millisecond)
		case <-time.After(longest):
		case <-ctx.Done():
		}
	}
}

// pause waits for a random time, and reports whether ctx still goes on.
func pause(ctx context.Context, rng *rand.Rand, longest time.Duration) bool {
	select {
	case <-time.After(time.Duration(rng.Int64N(int64(longest)))):
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

// secondClient is another client of one in n of the people.
func (s *stage) secondClient(ctx context.Context, w, n int, rng *rand.Rand) {
	seen := make(map[string]string) // ids by the files' names
	for pause(ctx, rng, 300*time.Millisecond) {
		i := w + n*rng.IntN((s.task.Accounts-w+n-1)/n)
		p := s.people[userOf(i)]
		isHere := func(id string) bool { return !p.role.syncs() && s.isHere(i, id, seen) }
		// What has begun is done: who does not know whether it was cannot say what must be.
		if err := s.second.act(s.t.Context(), p, isHere, rng); err != nil {
			s.t.Errorf("the second client: %v", err)
			return
		}
	}
}

// isHere tells whether a message is in its folder.
func (s *stage) isHere(i int, id string, seen map[string]string) bool {
	all, err := filesIn(s.task.folderOf(i), "new", "cur")
	if err != nil {
		s.t.Error(err)
	}
	for _, f := range all {
		if seen[f.name()] == "" && f.read() == nil {
			seen[f.name()] = f.id
		}
		if seen[f.name()] == id {
			return true
		}
	}
	return false
}

// mailProgram works in one in n of the folders that it may change.
func (s *stage) mailProgram(ctx context.Context, w, n int, rng *rand.Rand) {
	var dirs []string
	for i := w; i < s.task.Accounts; i += n {
		if roleOf(i).upstream.Flags {
			dirs = append(dirs, s.task.folderOf(i))
		}
	}
	for pause(ctx, rng, 100*time.Millisecond) {
		if err := s.prog.act(dirs[rng.IntN(len(dirs))], rng); err != nil {
			s.t.Errorf("the mail program: %v", err)
			return
		}
	}
}

// check finds out what is not as it must be, and says what was done.
func (s *stage) check(length time.Duration) {
	t, c := s.t, &s.counts
	t.Helper()
	v := &verdict{bad: s.given}
	if err := v.readAll(s); err != nil {
		t.Fatal(err)
	}
	for i := range s.task.Accounts {
		if err := v.person(t.Context(), s, s.people[userOf(i)]); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.ledger(t.Context(), filepath.Join(s.task.Dir, "ledger")); err != nil {
		t.Fatal(err)
	}
	t.Logf("%v, %d accounts, seed %d: the child was killed %d times, stopped %d times; %d runs, %d of them failed",
		length, s.task.Accounts, s.seed, c.kills.Load(), c.stops.Load(), c.runs.Load(), c.failedRuns.Load())
	t.Logf("%d connections: %d cut, %d reset, %d stalled, %d slowed; %d messages out of quarantine, %d files left in tmp of messages never delivered",
		c.connections.Load(), c.cuts.Load(), c.resets.Load(), c.stalls.Load(), c.drips.Load(), c.quarantined.Load(), v.debris)
	t.Logf("%d messages sent, %d of them foreign; the second client set %d flags, took %d away, marked foreign ones %d times, deleted %d messages",
		c.deliveries.Load(), c.foreign.Load(), c.flagged.Load(), c.unflagged.Load(), c.marked.Load(), c.deleted.Load())
	t.Logf("the mail program changed %d flags and removed %d messages", c.flaggedHere.Load(), c.removedHere.Load())
	t.Logf("%d messages are left on one side or both; %d VIOLATIONS", v.messages, len(v.bad))
	for _, kind := range slices.Sorted(maps.Keys(s.errs)) {
		t.Logf("%6d runs ended: %s", s.errs[kind], kind)
	}
	for i, bad := range v.bad {
		if i == 30 {
			t.Errorf("and %d more", len(v.bad)-i)
			break
		}
		t.Error(bad)
	}
}
