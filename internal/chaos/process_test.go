package chaos_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
)

// process is a child at work.
type process struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	stderr bytes.Buffer
	read   sync.WaitGroup
	over   bool
}

// start starts a child. Each event goes to hear.
func start(t *testing.T, task *task, hear func(told)) *process {
	t.Helper()
	text, err := json.Marshal(task)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: exec.Command(os.Args[0])}
	p.cmd.Env = append(os.Environ(), taskVariable+"="+string(text))
	p.cmd.Stderr = &p.stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !p.over {
			p.kill(t)
		}
	})
	p.read.Go(func() {
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var e told
			if json.Unmarshal(lines.Bytes(), &e) == nil { // the last may be cut short
				hear(e)
			}
		}
	})
	return p
}

// kill kills the child. One that has ended by itself is an error.
func (p *process) kill(t *testing.T) {
	t.Helper()
	p.over = true
	p.cmd.Process.Kill()
	p.read.Wait()
	p.in.Close()
	p.cmd.Wait()
	if status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() {
		t.Errorf("the child ended by itself: %v\n%.4000s", p.cmd.ProcessState, p.stderr.String())
	}
}

// stop lets the child end well.
func (p *process) stop(t *testing.T) {
	t.Helper()
	p.over = true
	p.in.Close()
	p.read.Wait()
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("the child did not end well: %v\n%.4000s", err, p.stderr.String())
	}
}
