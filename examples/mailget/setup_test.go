package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// place is a server, and a folder for what mailget makes.
type place struct {
	*testing.T
	server       *retrievaltest.Server
	url          string
	dir          string
	password, ca string // what the files of these names hold
}

func newPlace(t *testing.T, p retrieval.Protocol) *place {
	t.Helper()
	s := retrievaltest.NewServer(t, nil)
	a := s.Account(p)
	w := &place{T: t, server: s, dir: t.TempDir()}
	w.url = fmt.Sprintf("%ss://%s@%s", p, strings.Replace(a.User, "@", "%40", 1), net.JoinHostPort(a.Host, strconv.Itoa(a.Port)))
	w.password = retrievaltest.Password + "\n"
	w.write("password", w.password)
	w.trust(net.JoinHostPort(a.Host, strconv.Itoa(a.Port)))
	return w
}

// trust writes the certificate of the server at addr to the file "ca".
func (w *place) trust(addr string) {
	w.Helper()
	c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		w.Fatal(err)
	}
	defer c.Close()
	w.ca = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.ConnectionState().PeerCertificates[0].Raw}))
	w.write("ca", w.ca)
}

func (w *place) path(name string) string { return filepath.Join(w.dir, name) }

func (w *place) write(name, data string) {
	w.Helper()
	if err := os.WriteFile(w.path(name), []byte(data), 0o600); err != nil {
		w.Fatal(err)
	}
}

// files returns the contents of what was delivered, sorted.
func (w *place) files() []string {
	w.Helper()
	return w.filesIn("mail")
}

func (w *place) filesIn(maildir string) []string {
	w.Helper()
	var all []string
	for _, sub := range []string{"new", "cur"} {
		names, _ := filepath.Glob(filepath.Join(w.path(maildir), sub, "*"))
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				w.Fatal(err)
			}
			all = append(all, string(data))
		}
	}
	slices.Sort(all)
	return all
}

func sorted(msgs [][]byte) []string {
	var all []string
	for _, m := range msgs {
		all = append(all, string(m))
	}
	slices.Sort(all)
	return all
}

// result is what a call of mailget comes to.
type result struct {
	code           int
	stdout, stderr string
}

// mailget calls the command with the server's password and certificate.
func (w *place) mailget(args ...string) result {
	w.Helper()
	return call(w.Context(), append([]string{"-password-file", w.path("password"), "-cafile", w.path("ca")}, args...)...)
}

// into are the flags to deliver into the Maildir "mail", with a ledger.
func (w *place) into(args ...string) []string {
	return append([]string{"-to", "maildir:" + w.path("mail"), "-ledger", w.path("ledger")}, args...)
}

func call(ctx context.Context, args ...string) result {
	var stdout, stderr bytes.Buffer
	code := run(ctx, args, strings.NewReader(""), &stdout, &stderr)
	return result{code, stdout.String(), stderr.String()}
}

// report is the contract of -json.
type report struct {
	Listed, Delivered, Deleted, Reflagged, Discarded, Skipped, Failed int

	HeaderOnly int `json:"header_only"`
	Acted      int
	Sent       int
}

// must fails unless the call went well, and decodes its report.
func (w *place) must(r result) report {
	w.Helper()
	if r.code != 0 || r.stderr != "" {
		w.Fatalf("exit code %d, stderr %s", r.code, r.stderr)
	}
	d := json.NewDecoder(strings.NewReader(r.stdout))
	d.DisallowUnknownFields()
	var all struct {
		report
		Bytes      *int64
		WireIn     *int64 `json:"wire_in"`
		WireOut    *int64 `json:"wire_out"`
		RoundTrips *int64 `json:"round_trips"`
		ElapsedMS  *int64 `json:"elapsed_ms"`
		Mailboxes  map[string]retrieval.Report
	}
	if err := d.Decode(&all); err != nil || d.More() {
		w.Fatalf("%v in %q", err, r.stdout)
	}
	if all.Bytes == nil || all.WireIn == nil || all.WireOut == nil || all.RoundTrips == nil || all.ElapsedMS == nil {
		w.Fatalf("fields are missing: %s", r.stdout)
	}
	return all.report
}
