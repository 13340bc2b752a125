//go:build !unix

package relay

import "os/exec"

// Without process groups only the program itself can be ended.

func ownGroup(*exec.Cmd) {}

func terminate(cmd *exec.Cmd) { cmd.Process.Kill() }

func kill(cmd *exec.Cmd) { cmd.Process.Kill() }
