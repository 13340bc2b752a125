package servers

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// unsupported is an error about this machine, not about the test.
type unsupported string

func (u unsupported) Error() string { return string(u) }

// Is makes it an errors.ErrUnsupported.
func (u unsupported) Is(target error) bool { return target == errors.ErrUnsupported }

// noBox is the error of a machine on which a server cannot have a root of its own.
func noBox(why string) error {
	return unsupported("this machine allows no private namespaces and root: " + strings.Join(strings.Fields(why), " "))
}

// Dir returns the folder of the unpacked packages: $POSTBAG_SERVERS_DIR, else
// postbag-servers in the user's cache folder.
func Dir() (string, error) {
	if dir := os.Getenv("POSTBAG_SERVERS_DIR"); dir != "" {
		return filepath.Abs(dir)
	}
	cache, err := os.UserCacheDir()
	return filepath.Join(cache, "postbag-servers"), err
}

// find returns the folder with a kind's unpacked packages, or an empty name if
// the machine has the program itself.
func find(kind Kind, prog program) (layer string, err error) {
	if runtime.GOOS != "linux" {
		return "", unsupported(fmt.Sprintf("servers: %s runs on Linux only", kind))
	}
	if os.Getuid() != 0 {
		return "", unsupported(fmt.Sprintf("servers: %s runs as root only", kind))
	}
	if dir, err := Dir(); err == nil && prog.in(filepath.Join(dir, string(kind))) {
		return filepath.Join(dir, string(kind)), nil
	}
	if prog.in("") {
		return "", nil
	}
	return "", unsupported(fmt.Sprintf("servers: %s is not here: go run ./internal/servers/install", kind))
}

// servesLMTP tells whether the program that does is in layer, which lies over
// the machine's root, or on the machine.
func (p program) servesLMTP(layer string) bool {
	if p.lmtp == "" {
		return false
	}
	for _, root := range []string{layer, "/"} {
		if _, err := os.Stat(filepath.Join("/", root, p.lmtp)); err == nil {
			return true
		}
	}
	return false
}

// in tells whether the program is in layer, or on the machine if that is empty.
func (p program) in(layer string) bool {
	_, err := os.Stat(filepath.Join("/", layer, p.path))
	return err == nil
}
