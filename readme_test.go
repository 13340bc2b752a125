package postbag_test

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// The README's program compiles and takes mail home, from a server of ours in
// the place of the one that it names.
func TestReadmeProgram(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "```go\npackage main\n")
	program, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("there is no program in the README")
	}
	server := retrievaltest.NewServer(t, nil)
	server.Deliver([]byte("Subject: one\r\n\r\n"), []byte("Subject: two\r\n\r\n"))
	a := server.Account(retrieval.POP3)
	host := net.JoinHostPort(a.Host, strconv.Itoa(a.Port))
	const named = "pop3s://joe@mail.example.com"
	if !strings.Contains(program, named) {
		t.Fatalf("the program does not name %s", named)
	}
	program = strings.Replace(program, named, fmt.Sprintf("pop3s://%s@%s", url.PathEscape(a.User), host), 1)

	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	source := write("main.go", []byte("package main\n"+program))
	binary := filepath.Join(dir, "program")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, source).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "windows" {
		t.Skip("SSL_CERT_FILE, by which the program trusts our server, has no effect here")
	}
	cmd := exec.CommandContext(t.Context(), binary)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "MAIL_PASSWORD="+retrievaltest.Password, "SSL_CERT_FILE="+write("ca", certificate(t, host)))
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != "2 new messages\n" {
		t.Errorf("%v, it printed %q", err, out)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "mail", "new", "*"))
	if len(files) != 2 || len(server.Contents()) != 0 {
		t.Errorf("%d files here, %d messages there, want 2 and none", len(files), len(server.Contents()))
	}
}

// Every test that the README names as a proof is there.
func TestReadmeProofs(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)(…?)`").FindAllStringSubmatch(string(readme), -1)
	if len(names) < 20 {
		t.Fatalf("the README names %d tests", len(names))
	}
	var source strings.Builder
	err = filepath.WalkDir(".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		data, err := os.ReadFile(name)
		source.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		f := "func " + name[1]
		if name[2] == "" {
			f += "("
		}
		if !strings.Contains(source.String(), "\n"+f) {
			t.Errorf("there is no %s", name[0])
		}
	}
}

// certificate returns the certificate of the server at addr.
func certificate(t *testing.T, addr string) []byte {
	t.Helper()
	c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.ConnectionState().PeerCertificates[0].Raw})
}
