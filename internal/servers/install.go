package servers

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// Install has apt download the packages of those kinds that are not here, and
// what they need that this machine does not have, and unpacks them in [Dir].
// Nothing is installed. It takes root and Debian's apt-get and dpkg. What it
// does goes to w. To have newer packages, delete the folder first.
func Install(ctx context.Context, w io.Writer, kinds ...Kind) error {
	dir, err := Dir()
	if err != nil {
		return err
	}
	updated := false
	for _, kind := range kinds {
		prog, ok := programs[kind]
		if !ok {
			return fmt.Errorf("servers: there is no kind %q", kind)
		}
		if layer, err := find(kind, prog); err == nil && (prog.lmtp == "" || prog.servesLMTP(layer)) {
			fmt.Fprintf(w, "%s: is in %s\n", kind, cmp.Or(layer, "/"))
			continue
		}
		if os.Getuid() != 0 {
			return errors.New("servers: only root can unpack the packages as they are")
		}
		fmt.Fprintf(w, "%s: unpacking %s in %s\n", kind, strings.Join(prog.packages, ", "), dir)
		if !updated {
			if err := command(ctx, "apt-get", "-q", "-o", lockTimeout, "update"); err != nil {
				return fmt.Errorf("servers: %w", err)
			}
			updated = true
		}
		if err := install(ctx, filepath.Join(dir, string(kind)), prog); err != nil {
			return fmt.Errorf("servers: %s: %w", kind, err)
		}
	}
	return nil
}

const lockTimeout = "DPkg::Lock::Timeout=300"

// install makes the folder layer, whole or not at all.
func install(ctx context.Context, layer string, prog program) error {
	if err := os.MkdirAll(filepath.Dir(layer), 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(layer), "new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	archives, root, status := filepath.Join(tmp, "archives"), filepath.Join(tmp, "root"), filepath.Join(tmp, "status")
	if err := errors.Join(os.MkdirAll(filepath.Join(archives, "partial"), 0o755), os.Mkdir(root, 0o755)); err != nil {
		return err
	}
	installed, err := os.ReadFile("/var/lib/dpkg/status")
	if err != nil {
		return err
	}
	if err := os.WriteFile(status, withoutServers(installed), 0o644); err != nil {
		return err
	}
	args := append([]string{"-q", "-y", "--no-install-recommends", "--download-only", "-o", lockTimeout, "-o", "APT::Sandbox::User=root",
		"-o", "Dir::State::status=" + status, "-o", "Dir::Cache::archives=" + archives, "install"}, prog.packages...)
	if err := command(ctx, "apt-get", args...); err != nil {
		return err
	}
	debs, err := filepath.Glob(filepath.Join(archives, "*.deb"))
	if err != nil {
		return err
	}
	for _, deb := range debs {
		if err := command(ctx, "dpkg", "-x", deb, root); err != nil {
			return err
		}
	}
	for _, sub := range []string{"doc", "info", "locale", "man"} { // nobody reads it here
		if err := os.RemoveAll(filepath.Join(root, "usr/share", sub)); err != nil {
			return err
		}
	}
	if _, err := os.Stat(filepath.Join(root, prog.path)); err != nil {
		return err
	}
	if err := os.RemoveAll(layer); err != nil {
		return err
	}
	return os.Rename(root, layer)
}

var serverPackage = regexp.MustCompile(`(?m)^Package: ((dovecot|cyrus|courier|mailutils)-|(mailutils|popa3d|socat|sasl2-bin)$)`)

// withoutServers removes the packages of all kinds from dpkg's status file, so
// that apt downloads also what is installed.
func withoutServers(status []byte) []byte {
	var kept [][]byte
	for stanza := range bytes.SplitSeq(status, []byte("\n\n")) {
		if !serverPackage.Match(stanza) {
			kept = append(kept, stanza)
		}
	}
	return bytes.Join(kept, []byte("\n\n"))
}

// command runs a program to its end; the error has what it printed last.
func command(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out[max(0, len(out)-2<<10):])
	}
	return nil
}
