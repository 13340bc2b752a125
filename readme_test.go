package postbag_test

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
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
