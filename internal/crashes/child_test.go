package crashes_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

// task is what a child is to do.
type task struct {
	Protocol retrieval.Protocol
	Port     int
	User     string
	Password string
	Policy   string
	Dir      string
}

const taskVariable = "POSTBAG_CRASH_TASK"

func TestMain(m *testing.M) {
	if s := os.Getenv(taskVariable); s != "" {
		if err := child(s); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child retrieves mail once. Before each effect it tells the parent on
// standard output what it is about to do, and waits for a line.
func child(s string) error {
	var t task
	if err := json.Unmarshal([]byte(s), &t); err != nil {
		return err
	}
	in := bufio.NewReader(os.Stdin)
	return t.run(context.Background(), func(effect string) {
		fmt.Println(effect)
		if _, err := in.ReadString('\n'); err != nil {
			os.Exit(1) // the parent is gone
		}
	})
}

// policies are by name, so that a child can be told.
var policies = map[string]retrieval.Policy{
	"leave":             retrieval.LeaveOnServer,
	"delete":            retrieval.DownloadAndDelete,
	"delete after":      retrieval.DeleteAfter(time.Nanosecond),
	"keep the last two": retrieval.KeepLast(2),
	"sync":              retrieval.ServerSync,
	"mark and move":     retrieval.LeaveOnServer,
	"header section":    retrieval.DownloadAndDelete,
	"several mailboxes": retrieval.DownloadAndDelete,
	"limited day":       retrieval.DownloadAndDelete,
}

func (t *task) account() retrieval.Account {
	a := retrieval.Account{
		Protocol: t.Protocol,
		Host:     "127.0.0.1",
		Port:     t.Port,
		Security: retrieval.Plaintext,
		User:     t.User,
		Password: func(context.Context) (string, error) { return t.Password, nil },
		Name:     "crash",
		Policy:   policies[t.Policy],
	}
	a.Filter.Summary = func(s retrieval.Summary) bool { return s.Size < foreignSize }
	switch t.Policy {
	case "mark and move":
		a.After = retrieval.After{Flags: []retrieval.Flag{"$Got"}, MoveTo: "Archive"}
	case "header section":
		a.Limits.MessageSize = 3000
	case "limited day":
		a.Limits.BytesPerDay = 1 << 20
	case "several mailboxes":
		if t.Protocol == retrieval.IMAP {
			a.Mailboxes = []string{"INBOX", "Work"}
		}
	}
	return a
}

// run does what a program does in one go. before is called before each effect.
func (t *task) run(ctx context.Context, before func(effect string)) error {
	ledger, err := disk.OpenLedger(filepath.Join(t.Dir, "ledger"))
	if err != nil {
		return err
	}
	defer ledger.Close()
	maildir, err := disk.OpenMaildir(filepath.Join(t.Dir, "mail"))
	if err != nil {
		return err
	}
	defer maildir.Close()
	a := t.account()
	a.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		before("dial")
		c, err := new(net.Dialer).DialContext(ctx, network, addr)
		return &tellingConn{c, before}, err
	}
	_, err = retrieval.Run(ctx, a, &tellingSink{maildir, before}, &tellingStore{ledger, before})
	return err
}

type tellingConn struct {
	net.Conn
	before func(string)
}

func (c *tellingConn) Write(p []byte) (int, error) {
	c.before(fmt.Sprintf("write %.30q", p))
	return c.Conn.Write(p)
}

type tellingSink struct {
	*disk.Maildir
	before func(string)
}

// Batch hides that a Maildir can be shared, so that its calls are seen here.
func (s *tellingSink) Batch() retrieval.Sink {
	return &tellingBatch{s.Maildir.Batch().(*disk.MaildirBatch), s.before}
}

type tellingBatch struct {
	*disk.MaildirBatch
	before func(string)
}

func (s *tellingBatch) Deliver(ctx context.Context, m *retrieval.Message) (string, error) {
	s.before("deliver")
	return s.MaildirBatch.Deliver(ctx, m)
}

func (s *tellingBatch) Flush(ctx context.Context) error {
	s.before("flush")
	return s.MaildirBatch.Flush(ctx)
}

func (s *tellingBatch) SetFlags(ctx context.Context, ref string, flags []retrieval.Flag) (string, error) {
	s.before("set flags")
	return s.MaildirBatch.SetFlags(ctx, ref, flags)
}

func (s *tellingBatch) Discard(ctx context.Context, ref string) error {
	s.before("discard")
	return s.MaildirBatch.Discard(ctx, ref)
}

func (s *tellingBatch) Note(ctx context.Context, box retrieval.Box, store string) error {
	s.before("note")
	return s.MaildirBatch.Note(ctx, box, store)
}

type tellingStore struct {
	retrieval.Store
	before func(string)
}

func (s *tellingStore) Open(ctx context.Context, box retrieval.Box) (retrieval.Page, error) {
	p, err := s.Store.Open(ctx, box)
	return &tellingPage{p, s.before}, err
}

type tellingPage struct {
	retrieval.Page
	before func(string)
}

func (p *tellingPage) Update(ctx context.Context, ch retrieval.Change) error {
	p.before("transaction")
	return p.Page.Update(ctx, ch)
}
