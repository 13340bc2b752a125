//go:build unix

package relay_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/relay"
	rt "example.com/postbag/retrieval/retrievaltest"
)

// TestCommandSink delivers by a script, of which each run is cheap.
func TestCommandSink(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip(err)
	}
	script := `f=$(mktemp "$1/tmp/XXXXXXXX") && cat >"$f" && mv "$f" "$1/new/" || exit 74`
	rt.TestSink(t, func(t *testing.T) rt.SinkUnderTest {
		dir := t.TempDir()
		for _, sub := range []string{"tmp", "new"} {
			if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		c, err := relay.NewCommand([]string{sh, "-c", script, "sh", dir}, &relay.CommandOptions{AllowRoot: true})
		if err != nil {
			t.Fatal(err)
		}
		return rt.SinkUnderTest{
			Sink:       c,
			Contents:   func() ([]rt.Delivered, error) { return filesIn(filepath.Join(dir, "new")) },
			Concurrent: true,
		}
	})
}

func filesIn(dir string) ([]rt.Delivered, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var all []rt.Delivered
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		all = append(all, rt.Delivered{Data: data})
	}
	return all, nil
}

// about says what an error is about, as a run sees it.
func about(err error) string {
	switch {
	case err == nil:
		return "taken"
	case errors.Is(err, retrieval.ErrDeferred) && errors.Is(err, retrieval.ErrRejected):
		return "deferred and rejected"
	case errors.Is(err, retrieval.ErrDeferred):
		return "deferred"
	case errors.Is(err, retrieval.ErrRejected):
		return "rejected"
	}
	return "the run ends"
}

// TestF126 is what a program that takes mail can do.
func TestF126(t *testing.T) {
	big := mail + strings.Repeat("0123456789abcdef\r\n", 100_000)
	for _, tt := range []struct {
		name string
		argv []string
		data string
		o    relay.CommandOptions
		want string
		text string // in the error
	}{
		{name: "exit 0", argv: []string{"exit", "0"}, data: mail, want: "taken"},
		{name: "exit 1", argv: []string{"exit", "1"}, data: mail, want: "deferred", text: "exit code 1"},
		{name: "exit 64 usage", argv: []string{"exit", "64"}, data: mail, want: "deferred"},
		{name: "exit 65 data", argv: []string{"exit", "65"}, data: mail, want: "rejected"},
		{name: "exit 67 no user", argv: []string{"exit", "67"}, data: mail, want: "rejected"},
		{name: "exit 69 unavailable", argv: []string{"exit", "69"}, data: mail, want: "rejected"},
		{name: "exit 71 system", argv: []string{"exit", "71"}, data: mail, want: "deferred"},
		{name: "exit 73 cannot create", argv: []string{"exit", "73"}, data: mail, want: "deferred"},
		{name: "exit 74 I/O", argv: []string{"exit", "74"}, data: mail, want: "deferred"},
		{name: "exit 75", argv: []string{"exit", "75"}, data: mail, want: "deferred", text: "exit code 75"},
		{name: "exit 77 permission", argv: []string{"exit", "77"}, data: mail, want: "rejected"},
		{name: "exit 78 configuration", argv: []string{"exit", "78"}, data: mail, want: "deferred"},
		{name: "exit 100 of qmail", argv: []string{"exit", "100"}, data: mail, want: "rejected"},
		{name: "exit 111 of qmail", argv: []string{"exit", "111"}, data: mail, want: "deferred"},
		{name: "exit 127 of a shell", argv: []string{"exit", "127"}, data: mail, want: "the run ends"},
		{name: "exit 137", argv: []string{"exit", "137"}, data: mail, want: "deferred"},
		{name: "signal TERM", argv: []string{"signal", "15"}, data: mail, want: "deferred", text: "terminated"},
		{name: "signal KILL", argv: []string{"signal", "9"}, data: mail, want: "deferred", text: "killed"},
		{name: "hang", argv: []string{"deaf"}, data: mail, o: relay.CommandOptions{Timeout: 50 * time.Millisecond}, want: "deferred", text: "not done after 50ms"},
		{name: "hang without reading", argv: []string{"deaf"}, data: big, o: relay.CommandOptions{Timeout: 50 * time.Millisecond}, want: "deferred", text: "not done after"},
		{name: "closes stdin early, exit 0", argv: []string{"close", "0"}, data: big, want: "deferred", text: "before it had read"},
		{name: "closes stdin early, exit 0, allowed", argv: []string{"close", "0"}, data: big, o: relay.CommandOptions{AllowPartial: true}, want: "taken"},
		{name: "closes stdin early, exit 75", argv: []string{"close", "75"}, data: big, want: "deferred"},
		{name: "closes stdin early, exit 65", argv: []string{"close", "65"}, data: big, want: "rejected"},
		{name: "10 MB stderr", argv: []string{"noise"}, data: big, want: "deferred"},
		{name: "exits 0 without reading, small", argv: []string{"exit unread", "0"}, data: mail, want: "deferred", text: "before it had read"},
		{name: "exits 0 without reading, big", argv: []string{"exit unread", "0"}, data: big, want: "deferred"},
		{name: "exits 0 without reading, allowed", argv: []string{"exit unread", "0"}, data: big, o: relay.CommandOptions{AllowPartial: true}, want: "taken"},
		{name: "nothing to read", argv: []string{"exit unread", "0"}, data: "", want: "taken"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			noLeaks(t)
			_, err := newCommand(t, &tt.o, tt.argv...).Deliver(t.Context(), message("1.1", tt.data))
			if got := about(err); got != tt.want {
				t.Fatalf("Deliver = %v: %s, want %s", err, got, tt.want)
			}
			if err != nil && !strings.Contains(err.Error(), tt.text) {
				t.Errorf("Deliver = %v, want it to say %q", err, tt.text)
			}
			if cmd := (*relay.CommandError)(nil); err != nil && !errors.As(err, &cmd) {
				t.Errorf("Deliver = %T, want a CommandError", err)
			}
		})
	}
}

// TestCommandHang shows that the time limit ends the whole process group. F126.
func TestCommandHang(t *testing.T) {
	for _, how := range [][]string{nil, {"deaf to SIGTERM"}} {
		t.Run(strings.Join(how, ""), func(t *testing.T) {
			noLeaks(t)
			dir := t.TempDir()
			alive, hangs := filepath.Join(dir, "alive"), filepath.Join(dir, "hangs")
			for _, fifo := range []string{alive, hangs} {
				if err := syscall.Mkfifo(fifo, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			ended := make(chan struct{})
			go func() {
				os.ReadFile(alive) // until no process has it open
				close(ended)
			}()
			o := relay.CommandOptions{Grace: 50 * time.Millisecond}
			c := newCommand(t, &o, append([]string{"hang", alive, hangs}, how...)...)
			ctx, cancel := context.WithCancelCause(t.Context())
			stop := errors.New("enough")
			go func() {
				os.ReadFile(hangs)
				cancel(stop)
			}()
			_, err := c.Deliver(ctx, message("1.1", mail))
			if !errors.Is(err, stop) || about(err) != "the run ends" {
				t.Errorf("Deliver = %v, want the context's cause", err)
			}
			<-ended
		})
	}
}

// TestCommandReadError shows that a program never sees the end of what is not
// the end of the message.
func TestCommandReadError(t *testing.T) {
	noLeaks(t)
	took := filepath.Join(t.TempDir(), "took")
	body := io.MultiReader(strings.NewReader(mail), errReader{retrieval.ErrTruncated})
	m := retrieval.NewMessage(box, retrieval.Summary{UID: "1.1", Size: 1000}, body)
	_, err := newCommand(t, nil, "half", took).Deliver(t.Context(), m)
	if !errors.Is(err, retrieval.ErrTruncated) {
		t.Errorf("Deliver = %v, want the reader's error", err)
	}
	if n, err := os.ReadFile(took); err == nil {
		t.Errorf("the program took %s octets for the message", n)
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

// TestCommandLeaves shows that a delivery does not wait for what a program
// leaves behind, nor end it.
func TestCommandLeaves(t *testing.T) {
	noLeaks(t)
	left := filepath.Join(t.TempDir(), "left")
	if _, err := newCommand(t, nil, "leave", left).Deliver(t.Context(), message("1.1", mail)); err != nil {
		t.Errorf("Deliver = %v", err)
	}
	if gone(t, left) {
		t.Error("what the program left running was ended")
	}
	var pid int
	data, _ := os.ReadFile(left)
	fmt.Sscan(string(data), &pid)
	syscall.Kill(pid, syscall.SIGKILL)
}

// TestCommandCannotRun is what is not a message's fault.
func TestCommandCannotRun(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "script")
	if err := os.WriteFile(script, []byte("#!/no/such/interpreter\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	root := &relay.CommandOptions{AllowRoot: true}
	for _, argv := range [][]string{nil, {filepath.Join(dir, "missing")}, {plain}, {dir}, {"no-such-program-anywhere"}, {script, "a\x00b"}} {
		if _, err := relay.NewCommand(argv, root); err == nil {
			t.Errorf("NewCommand(%q) = nil error", argv)
		}
	}
	noLeaks(t)
	c, err := relay.NewCommand([]string{script}, root)
	if err != nil {
		t.Fatal(err)
	}
	gonedir := newCommand(t, &relay.CommandOptions{Dir: filepath.Join(dir, "missing")}, "exit", "0")
	for name, c := range map[string]*relay.Command{"no interpreter": c, "no folder": gonedir} {
		if _, err := c.Deliver(t.Context(), message("1.1", mail)); about(err) != "the run ends" || !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: Deliver = %v, want the run to end", name, err)
		}
	}
}

func TestCommandRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("for root")
	}
	if _, err := relay.NewCommand([]string{os.Args[0]}, nil); err == nil || !strings.Contains(err.Error(), "root") {
		t.Errorf("NewCommand = %v, want root to be refused", err)
	}
}

// TestCommandStderr shows that what a program prints is bounded, and not in the
// text of an error that nobody asked for it.
func TestCommandStderr(t *testing.T) {
	var e *relay.CommandError
	_, err := newCommand(t, nil, "exit", "75", "secret of the mail\x1b[2J\r\n").Deliver(t.Context(), message("1.1", mail))
	if !errors.As(err, &e) || e.Stderr != `"secret of the mail\x1b[2J\r\n"` || strings.Contains(err.Error(), "secret") {
		t.Errorf("Deliver = %v, %+v", err, e)
	}
	_, err = newCommand(t, &relay.CommandOptions{ShowStderr: true}, "noise").Deliver(t.Context(), message("1.1", mail))
	if !errors.As(err, &e) || len(e.Stderr) > 1200 || !strings.HasSuffix(err.Error(), `the last words\x1b[2J\n"`) {
		t.Errorf("Deliver = %v, want the end of what was printed", err)
	}
}

// TestCommandEnvironment shows what a program is told, and that no octet of a
// server's means more than itself there, nor becomes an argument.
func TestCommandEnvironment(t *testing.T) {
	t.Setenv("POSTBAG_TEST_SECRET", "do not pass on")
	t.Setenv("LANG", "C.UTF-8")
	file, dir := filepath.Join(t.TempDir(), "environ"), t.TempDir()
	m := retrieval.NewMessage(
		retrieval.Box{Account: "pop3://$(touch x)@example.com", Mailbox: "() { :;}; rm -rf /"},
		retrieval.Summary{UID: "7.`id`\n-rf;\x00\xff", Size: -1, Flags: []retrieval.Flag{`\Seen`, "$Junk", "a,b c"}, Received: time.Unix(1e9, 0)},
		strings.NewReader(mail))
	m.Redelivery = true
	o := &relay.CommandOptions{Dir: dir, Env: []string{"GIVEN=a b", "POSTBAG_UID=over"}, Inherit: []string{"LANG"}}
	if _, err := newCommand(t, o, "environ", file, "$HOME", "; exit 1").Deliver(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(string(data), "\x00")
	want := []string{
		"LANG=C.UTF-8", "GIVEN=a b",
		"POSTBAG_ACCOUNT=pop3://%24%28touch%20x%29@example.com",
		"POSTBAG_MAILBOX=%28%29%20%7B%20:%3B%7D%3B%20rm%20-rf%20/",
		"POSTBAG_UID=7.%60id%60%0A-rf%3B%00%FF",
		"POSTBAG_FLAGS=%5CSeen,%24Junk,a%2Cb%20c",
		"POSTBAG_SIZE=-1",
		"POSTBAG_RECEIVED=2001-09-09T01:46:40Z",
		"POSTBAG_REDELIVERY=1",
		`["$HOME" "; exit 1"]`,
	}
	slices.Sort(got[:len(got)-2])
	slices.Sort(want[:len(want)-1])
	if !slices.Equal(got[:len(got)-1], want) {
		t.Errorf("the program sees\n%q, want\n%q", got, want)
	}
	if same, err := filepath.EvalSymlinks(dir); err != nil || got[len(got)-1] != same {
		t.Errorf("the program is in %s, want %s", got[len(got)-1], same)
	}
}

// TestCommandLongNames shows that names too long for an environment neither
// stop the program nor become equal.
func TestCommandLongNames(t *testing.T) {
	file := filepath.Join(t.TempDir(), "environ")
	seen := make(map[string]bool)
	for _, end := range []string{"a", "b"} {
		m := message(retrieval.UID(bytes.Repeat([]byte("\xff"), 1<<20))+retrieval.UID(end), mail)
		if _, err := newCommand(t, nil, "environ", file).Deliver(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for kv := range strings.SplitSeq(string(data), "\x00") {
			if value, ok := strings.CutPrefix(kv, "POSTBAG_UID="); ok {
				if len(value) > 1024 || seen[value] {
					t.Errorf("POSTBAG_UID has %d octets, seen before: %t", len(value), seen[value])
				}
				seen[value] = true
			}
		}
	}
	if len(seen) != 2 {
		t.Errorf("%d values, want 2", len(seen))
	}
}
