//go:build unix

package relay_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/relay"
)

// TestMain lets the test's own program be the one that takes mail.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "take-mail" {
		os.Exit(takeMail(os.Args[2], os.Args[3:]))
	}
	os.Exit(m.Run())
}

// takeMail does as it is told, and returns an exit code.
func takeMail(how string, args []string) int {
	arg := func(i int) string { return args[i] }
	switch how {
	case "exit": // reads all, prints and exits with a code
		io.Copy(io.Discard, os.Stdin)
		if len(args) > 1 {
			fmt.Fprint(os.Stderr, arg(1))
		}
		code, _ := strconv.Atoi(arg(0))
		return code
	case "exit unread":
		code, _ := strconv.Atoi(arg(0))
		return code
	case "close": // closes its input early
		io.CopyN(io.Discard, os.Stdin, 100)
		os.Stdin.Close()
		code, _ := strconv.Atoi(arg(0))
		return code
	case "signal":
		io.Copy(io.Discard, os.Stdin)
		n, _ := strconv.Atoi(arg(0))
		syscall.Kill(os.Getpid(), syscall.Signal(n))
		select {}
	case "noise": // 10 MB to standard error
		line := []byte(strings.Repeat("x", 99) + "\n")
		for range 10 << 20 / len(line) {
			os.Stderr.Write(line)
		}
		fmt.Fprint(os.Stderr, "the last words\x1b[2J\n")
		io.Copy(io.Discard, os.Stdin)
		return 75
	case "hang": // reads all and does not end, with a child that does not either
		alive, err := os.OpenFile(arg(0), os.O_WRONLY, 0)
		child := exec.Command(os.Args[0], "take-mail", "stay")
		child.Stdout = alive
		if err != nil || child.Start() != nil {
			return 71
		}
		if len(args) > 2 { // deaf to SIGTERM
			signal.Ignore(syscall.SIGTERM)
		}
		io.Copy(io.Discard, os.Stdin)
		os.WriteFile(arg(1), nil, 0o600) // tells
		hang()
	case "stay":
		signal.Ignore(syscall.SIGTERM)
		hang()
	case "deaf": // reads nothing and does not end
		hang()
	case "half": // says in a file how much it got when its input ended
		n, _ := io.Copy(io.Discard, os.Stdin)
		os.WriteFile(arg(0), []byte(fmt.Sprint(n)), 0o600)
		return 0
	case "leave": // leaves a child behind that holds its standard error
		io.Copy(io.Discard, os.Stdin)
		child := exec.Command(os.Args[0], "take-mail", "stay")
		child.Stderr = os.Stderr
		if child.Start() != nil {
			return 71
		}
		os.WriteFile(arg(0), []byte(fmt.Sprint(child.Process.Pid)), 0o600)
		return 0
	case "environ": // writes its environment, arguments and folder into a file
		io.Copy(io.Discard, os.Stdin)
		dir, _ := os.Getwd()
		os.WriteFile(arg(0), []byte(strings.Join(append(os.Environ(), fmt.Sprintf("%q", args[1:]), dir), "\x00")), 0o600)
		return 0
	}
	return 64
}

// hang waits for ever. A channel would do, if the runtime did not notice.
func hang() {
	r, _, _ := os.Pipe()
	r.Read(make([]byte, 1))
}

func newCommand(t *testing.T, o *relay.CommandOptions, argv ...string) *relay.Command {
	t.Helper()
	if o == nil {
		o = &relay.CommandOptions{}
	}
	o.AllowRoot = true
	if o.Env == nil {
		o.Env = []string{"GORACE=atexit_sleep_ms=0"} // or each run with the race detector takes a second
	}
	c, err := relay.NewCommand(append([]string{os.Args[0], "take-mail"}, argv...), o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var box = retrieval.Box{Account: "imap://user@example.com", Mailbox: "INBOX"}

const mail = "From: a@example.com\r\nSubject: hello\r\n\r\nHow are you?\r\n"

// message makes one of data.
func message(uid retrieval.UID, data string) *retrieval.Message {
	return retrieval.NewMessage(box, retrieval.Summary{UID: uid, Size: int64(len(data))}, strings.NewReader(data))
}

// noLeaks fails the test if it leaves goroutines or open files behind.
func noLeaks(t *testing.T) {
	t.Helper()
	files := openFiles(t)
	t.Cleanup(func() {
		buf := make([]byte, 1<<20)
		stacks := string(buf[:runtime.Stack(buf, true)])
		for g := range strings.SplitSeq(stacks, "\n\n") {
			if strings.Contains(g, "postbag/retrieval/relay.") && !strings.Contains(g, "testing.tRunner") {
				t.Errorf("a goroutine is left:\n%s", g)
			}
		}
		if now := openFiles(t); now > files {
			t.Errorf("%d open files, at first %d", now, files)
		}
	})
}

func openFiles(t *testing.T) int {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	n := 0
	for _, f := range list {
		// The runtime's own come when they are first needed.
		if to, err := os.Readlink(filepath.Join("/proc/self/fd", f.Name())); err == nil && (strings.HasPrefix(to, "pipe:") || strings.HasPrefix(to, "socket:")) {
			n++
		}
	}
	return n
}

// gone tells whether a process is no more, or only its entry is.
func gone(t *testing.T, pidFile string) bool {
	t.Helper()
	pid, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	stat, err := os.ReadFile(filepath.Join("/proc", string(pid), "stat"))
	if err != nil {
		return true
	}
	_, state, _ := bytes.Cut(stat, []byte(") "))
	return state[0] == 'Z' || state[0] == 'X'
}
