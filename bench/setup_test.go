package bench

import (
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"example.com/postbag/internal/servers"
)

const (
	user     = "joe"
	password = "correct horse battery"
)

// workload is what is in the mailbox.
type workload struct {
	name     string
	messages int
	size     int
}

var (
	small = workload{"10k x 5KB", 10_000, 5000}
	large = workload{"200 x 1MB", 200, 1 << 20}
	huge  = workload{"20 x 25MB", 20, 25 << 20}
)

func (w workload) octets() int64 { return int64(w.messages) * int64(w.size) }

// mails returns n different messages of about size octets.
func mails(n, size int) [][]byte {
	var msgs [][]byte
	for i := range n {
		m := fmt.Appendf(make([]byte, 0, size+100), "From: a@example.com\r\nTo: joe@example.com\r\nSubject: number %d\r\nMessage-ID: <%d@example.com>\r\n\r\n.a line that begins with a dot\r\n", i, i)
		for len(m) < size {
			m = append(m, "The quick brown fox jumps over the lazy dog, time and again.\r\n"...)
		}
		msgs = append(msgs, m)
	}
	return msgs
}

// client retrieves everything and throws it away; its name is for the table.
// run returns how long the messages themselves took, without greeting, login
// and listing, or 0 if it does not know.
type client struct {
	name string
	run  func(b *testing.B, addr string, w workload) time.Duration
}

// race measures clients side by side with the raw reader, on the workloads,
// at 0 and at 50 ms of round trip. slow clients are tried at 0 ms only.
func race(b *testing.B, imap bool, workloads []workload, raw func(*testing.B, string, int) time.Duration, clients []client, slow map[string]bool) {
	d := servers.Start(b, servers.Dovecot, servers.User{Name: user, Password: password})
	target := d.POP3
	if imap {
		target = d.IMAP
	}
	for _, w := range workloads {
		d.Reset(b, user)
		d.Deliver(b, user, mails(w.messages, w.size)...)
		raw(b, target, w.messages) // warms the server's index
		for _, rtt := range []time.Duration{0, 50 * time.Millisecond} {
			addr := slowed(b, target, rtt)
			for _, c := range clients {
				if rtt > 0 && slow[c.name] {
					continue
				}
				b.Run(fmt.Sprintf("%s/%v/%s", w.name, rtt, c.name), func(b *testing.B) {
					b.SetBytes(w.octets())
					b.ReportAllocs()
					sideBySide(b, func() time.Duration { return raw(b, addr, w.messages) }, func() time.Duration { return c.run(b, addr, w) })
				})
			}
		}
	}
}

// sideBySide runs raw and ours in turn and reports the ratios of their times:
// of all, and of the messages alone.
func sideBySide(b *testing.B, raw, ours func() time.Duration) {
	b.Helper()
	var rawTime, ourTime, rawDrain, ourDrain time.Duration
	for b.Loop() {
		b.StopTimer()
		start := time.Now()
		rawDrain += raw()
		rawTime += time.Since(start)
		b.StartTimer()
		start = time.Now()
		ourDrain += ours()
		ourTime += time.Since(start)
	}
	b.ReportMetric(float64(ourTime)/float64(rawTime), "x-raw")
	b.ReportMetric(rawTime.Seconds()/float64(b.N), "raw-s")
	if ourDrain > 0 {
		b.ReportMetric(float64(ourDrain)/float64(rawDrain), "x-raw-drain")
	}
}

// program skips a benchmark whose program is not installed.
func program(b *testing.B, name string) string {
	b.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		b.Skip(err)
	}
	return path
}

func run(b *testing.B, name string, args ...string) {
	b.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		b.Fatalf("%s: %v\n%s", name, err, out)
	}
}

func hostPort(addr string) (string, int) {
	host, port, _ := net.SplitHostPort(addr)
	n, _ := strconv.Atoi(port)
	return host, n
}
