package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// patience is how long a session of three messages may take.
const patience = 20 * time.Second

// nobody runs the programs if this one is root: some refuse to deliver as
// root.
const nobody = 65534

// logName is of what a program says, within its folder.
const logName = "log"

// process is a program that is under way, in a process group of its own.
type process struct {
	cmd    *exec.Cmd
	log    *os.File
	logged int           // how long the log was before
	waited chan struct{} // closed when it has ended
	mu     sync.Mutex
	killed bool // by a fault
}

// ended is how a session went.
type ended struct {
	hang bool
	died bool // of a signal of its own making
}

// newProcess prepares a program to run in the folder dir.
func newProcess(dir string, env []string, args ...string) (*process, error) {
	// No program may fill the disk or the memory of the machine.
	if limit, err := exec.LookPath("prlimit"); err == nil {
		args = append([]string{limit, "--fsize=100000000", "--as=4000000000", "--core=0"}, args...)
	}
	p := &process{cmd: exec.Command(args[0], args[1:]...), waited: make(chan struct{})}
	p.cmd.Dir = dir
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "HOME=" + dir, "USER=" + user, "LOGNAME=" + user}, env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if os.Getuid() == 0 {
		p.cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	var err error
	p.log, err = os.OpenFile(filepath.Join(dir, logName), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	if fi, err := p.log.Stat(); err == nil {
		p.logged = int(fi.Size())
	}
	fmt.Fprintf(p.log, "\n$ %q\n", args)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	return p, nil
}

// run runs it to its end, whichever that is.
func (p *process) run() (ended, error) {
	defer p.log.Close()
	if err := p.cmd.Start(); err != nil {
		return ended{}, err
	}
	var err error
	go func() {
		defer close(p.waited)
		err = p.cmd.Wait()
	}()
	var e ended
	select {
	case <-p.waited:
	case <-time.After(patience):
		e.hang = true
		p.kill()
	}
	<-p.waited
	fmt.Fprintf(p.log, "= %v\n", err)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return e, err
	}
	if !p.wasKilled() {
		status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
		e.died = ok && status.Signaled() || p.said("terminated with signal")
	}
	return e, nil
}

// said looks for what a program says that has caught its own fatal signal, as
// fetchmail does.
func (p *process) said(words string) bool {
	log, err := os.ReadFile(p.log.Name())
	return err == nil && bytes.Contains(log[min(p.logged, len(log)):], []byte(words))
}

// kill ends it and what it has started, at once, and waits for that.
func (p *process) kill() {
	p.mu.Lock()
	p.killed = true
	p.mu.Unlock()
	syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.waited
}

func (p *process) wasKilled() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.killed
}

// give makes a folder and what is in it the programs' own.
func give(dir string) error {
	if os.Getuid() != 0 {
		return nil
	}
	return filepath.Walk(dir, func(name string, _ os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(name, nobody, nobody)
	})
}
