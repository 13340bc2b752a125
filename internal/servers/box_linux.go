package servers

import (
	_ "embed"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// boot is what the first process of a box runs.
//
//go:embed boot.sh
var boot string

// inside is where the processes in a box find the server's folder.
const inside = "/srv/postbag"

// refusal is the exit code of boot where it may not do its work.
const refusal = 77

// box is a server's processes in namespaces of their own. The kernel ends all
// of them with the first one, and that one with the process that started it.
type box struct {
	cmd  *exec.Cmd
	bare bool          // no namespaces: the first process ends the others
	mail string        // the folder that is $STATE/mail for the processes
	done chan struct{} // closed when the last process has ended
}

// startBox runs script with env in a box, with layer over the machine's root if
// it is not empty. What the processes print or send to syslog goes to dir/log.
func startBox(dir, layer, script string, env []string) (*box, error) {
	cmd := exec.Command("/bin/bash", "-ec", boot, "boot", script)
	cmd.Env = append(env, "DIR="+dir, "LAYER="+layer, "STATE="+inside)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:   syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS,
		Unshareflags: syscall.CLONE_NEWNS, // which makes the mounts private; Cloneflags would not
		Pdeathsig:    syscall.SIGKILL,
	}
	b, err := runBox(cmd, dir)
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSYS) {
		return nil, noBox(err.Error())
	}
	if err != nil {
		return nil, err
	}
	b.mail = filepath.Join("/proc", strconv.Itoa(cmd.Process.Pid), "root", inside, "mail")
	return b, nil
}

// startBare runs script on the machine itself.
func startBare(dir, _, script string, env []string) (*box, error) {
	cmd := exec.Command("/bin/bash", "-ec", script)
	cmd.Env = append(env, "STATE="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	b, err := runBox(cmd, dir)
	if err != nil {
		return nil, err
	}
	b.bare, b.mail = true, filepath.Join(dir, "mail")
	return b, nil
}

// runBox starts the first process.
func runBox(cmd *exec.Cmd, dir string) (*box, error) {
	log, err := os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	cmd.Env = append(cmd.Env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8")
	cmd.Dir, cmd.Stdout, cmd.Stderr = "/", log, log
	b := &box{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// Pdeathsig is about the thread that forked: it must not end before.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(b.done)
		defer log.Close()
		defer syslog(log, filepath.Join(dir, "syslog"))()
		err := cmd.Start()
		started <- err
		if err == nil {
			cmd.Wait()
		}
	}()
	return b, <-started
}

// stop ends every process of the box and returns when they are gone.
func (b *box) stop() {
	if b.bare {
		b.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-b.done:
		case <-time.After(10 * time.Second):
		}
	}
	b.cmd.Process.Kill()
	<-b.done
}

// refused tells whether a box that has ended could not be made.
func (b *box) refused() bool { return b.cmd.ProcessState.ExitCode() == refusal }
