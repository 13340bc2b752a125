package chaos_test

import (
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// proxy stands between the child and the server, and does to connections what
// networks do, until it is calm.
type proxy struct {
	backend string
	ln      net.Listener
	counts  *counts
	done    sync.WaitGroup

	mu    sync.Mutex
	rng   *rand.Rand
	calm  bool
	conns map[net.Conn]bool
}

func startProxy(t *testing.T, backend string, rng *rand.Rand, c *counts) *proxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{backend: backend, ln: ln, counts: c, rng: rng, conns: make(map[net.Conn]bool)}
	p.done.Go(p.serve)
	t.Cleanup(func() {
		ln.Close()
		p.cutAll()
		p.done.Wait()
	})
	return p
}

func (p *proxy) port() int { return p.ln.Addr().(*net.TCPAddr).Port }

func (p *proxy) serve() {
	for {
		c, err := p.ln.Accept()
		if err != nil {
			return
		}
		p.done.Go(func() { p.handle(c) })
	}
}

// beCalm ends all connections, and leaves those to come alone.
func (p *proxy) beCalm() {
	p.mu.Lock()
	p.calm = true
	p.mu.Unlock()
	p.cutAll()
}

// cutAll ends all connections, and returns how many there were.
func (p *proxy) cutAll() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
	return len(p.conns)
}

// fate is what is to become of a connection.
type fate struct {
	after    int64         // octets from the server, or to it
	upwards  bool          // count those to it
	then     string        // "cut", "reset", "stall", or nothing
	stall    time.Duration // of a stall
	drip     bool          // octets from the server come by and by
	lifetime time.Duration // at most, if it is not 0
}

// draw draws a fate: mostly a short life, in octets or in time.
func (p *proxy) draw() fate {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.calm {
		return fate{}
	}
	r := p.rng
	f := fate{after: int64(1) << (4 + r.IntN(14)), stall: time.Duration(r.IntN(6000)) * time.Millisecond, drip: r.IntN(12) == 0}
	f.after += r.Int64N(f.after)
	switch n := r.IntN(100); {
	case n < 3:
		f.then, f.after = "cut", 0
	case n < 18:
		f.then = "cut"
	case n < 28:
		f.then = "reset"
	case n < 36:
		f.then = "stall"
	case n < 60: // within a command, or before its answer
		f.then, f.upwards, f.after = []string{"cut", "reset", "stall"}[r.IntN(3)], true, int64(r.IntN(2000))
	case n < 80:
		f.lifetime = time.Duration(r.IntN(20_000)) * time.Millisecond
	}
	return f
}

func (p *proxy) handle(c net.Conn) {
	f := p.draw()
	s, err := net.Dial("tcp", p.backend)
	if err != nil {
		c.Close()
		return
	}
	var once sync.Once
	end := func(reset bool) {
		once.Do(func() {
			if tc, ok := c.(*net.TCPConn); ok && reset {
				tc.SetLinger(0)
			}
			c.Close()
			s.Close()
			p.mu.Lock()
			delete(p.conns, c)
			p.mu.Unlock()
		})
	}
	p.mu.Lock()
	p.conns[c] = true
	p.mu.Unlock()
	p.counts.connections.Add(1)
	if f.lifetime > 0 {
		t := time.AfterFunc(f.lifetime, func() {
			p.counts.cuts.Add(1)
			end(false)
		})
		defer t.Stop()
	}
	var both sync.WaitGroup
	both.Go(func() { p.pass(s, c, f, f.upwards, end) })
	both.Go(func() { p.pass(c, s, f, !f.upwards, end) })
	both.Wait()
}

// pass copies octets one way until the fate says otherwise. mine says that the
// fate is about this way.
func (p *proxy) pass(to, from net.Conn, f fate, mine bool, end func(reset bool)) {
	defer end(false)
	w := io.Writer(to)
	if f.drip && mine {
		p.counts.drips.Add(1)
		w = &dripper{Conn: to, left: 4 << 10}
	}
	if !mine || f.then == "" {
		io.Copy(w, from)
		return
	}
	if n, err := io.CopyN(w, from, f.after); err != nil || n < f.after {
		return
	}
	switch f.then {
	case "cut":
		p.counts.cuts.Add(1)
	case "reset":
		p.counts.resets.Add(1)
		end(true)
	case "stall":
		p.counts.stalls.Add(1)
		wake := time.AfterFunc(f.stall, func() { from.SetReadDeadline(time.Now()) })
		defer wake.Stop()
		held := p.hold(from)
		if _, err := w.Write(held); err != nil {
			return
		}
		from.SetReadDeadline(time.Time{})
		io.Copy(w, from)
	}
}

// hold takes what comes, and passes nothing on, until the deadline.
func (p *proxy) hold(from net.Conn) []byte {
	b, _ := io.ReadAll(io.LimitReader(from, 1<<20))
	return b
}

// dripper writes by and by.
type dripper struct {
	net.Conn
	left int
}

func (d *dripper) Write(b []byte) (n int, err error) {
	for n < len(b) && d.left > 0 && err == nil {
		var m int
		m, err = d.Conn.Write(b[n:min(len(b), n+17)])
		n, d.left = n+m, d.left-m
		<-time.After(2 * time.Millisecond)
	}
	if err == nil && n < len(b) {
		var m int
		m, err = d.Conn.Write(b[n:])
		n += m
	}
	return n, err
}

// counts are of what was done to whom.
type counts struct {
	kills, stops                                             atomic.Int64
	connections, cuts, resets, stalls, drips                 atomic.Int64
	deliveries, foreign, flagged, unflagged, marked, deleted atomic.Int64
	flaggedHere, removedHere, runs, failedRuns, quarantined  atomic.Int64
}
