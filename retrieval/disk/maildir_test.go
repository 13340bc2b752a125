package disk_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

var inbox = retrieval.Box{Account: "imap://joe@mail.example.com:993", Mailbox: "INBOX"}

// maildir is a Maildir under test.
type maildir struct {
	*testing.T
	*disk.Maildir
	dir string
}

func newMaildir(t *testing.T) *maildir {
	t.Helper()
	d := &maildir{T: t, dir: filepath.Join(t.TempDir(), "mail")}
	d.open()
	return d
}

// open opens the folder as a new process does.
func (d *maildir) open() {
	d.Helper()
	if d.Maildir != nil {
		d.Maildir.Close()
	}
	m, err := disk.OpenMaildir(d.dir)
	if err != nil {
		d.Fatal(err)
	}
	d.Maildir = m
	d.Cleanup(func() { m.Close() })
}

func message(uid, body string, flags ...retrieval.Flag) *retrieval.Message {
	return retrieval.NewMessage(inbox, retrieval.Summary{UID: retrieval.UID(uid), Size: int64(len(body)), Flags: flags}, strings.NewReader(body))
}

func (d *maildir) deliver(uid, body string, flags ...retrieval.Flag) string {
	d.Helper()
	ref, err := d.Deliver(d.Context(), message(uid, body, flags...))
	if err != nil {
		d.Fatal(err)
	}
	return ref
}

func (d *maildir) flush() {
	d.Helper()
	if err := d.Flush(d.Context()); err != nil {
		d.Fatal(err)
	}
}

// want fails unless new and cur hold these files, each as "new/name=content".
func (d *maildir) want(files ...string) {
	d.Helper()
	files = slices.Clone(files)
	slices.Sort(files)
	if got := d.list("new", "cur"); !slices.Equal(got, files) {
		d.Fatalf("the Maildir holds\n%.1000q\nwant\n%.1000q", got, files)
	}
}

func (d *maildir) list(subs ...string) []string {
	d.Helper()
	files := []string{}
	for _, sub := range subs {
		entries, err := os.ReadDir(filepath.Join(d.dir, sub))
		if err != nil {
			d.Fatal(err)
		}
		for _, e := range entries {
			data, err := os.ReadFile(filepath.Join(d.dir, sub, e.Name()))
			if err != nil {
				d.Fatal(err)
			}
			files = append(files, sub+"/"+e.Name()+"="+string(data))
		}
	}
	slices.Sort(files)
	return files
}

// rename is a mail program.
func (d *maildir) rename(from, to string) {
	d.Helper()
	if err := os.Rename(filepath.Join(d.dir, from), filepath.Join(d.dir, to)); err != nil {
		d.Fatal(err)
	}
}

func TestDeliver(t *testing.T) {
	d := newMaildir(t)
	a := d.deliver("1.1", "new mail")
	b := d.deliver("1.2", "seen mail", retrieval.FlagSeen, retrieval.FlagFlagged)
	d.want() // nothing shows before it is durable
	d.flush()
	d.want("new/"+a+"=new mail", "cur/"+b+":2,FS=seen mail")
	if left := d.list("tmp"); len(left) > 0 {
		t.Errorf("tmp holds %q", left)
	}
	d.flush() // with nothing to do
	for name, mode := range map[string]os.FileMode{"": 0o700, "new": 0o700, "cur": 0o700, "tmp": 0o700, "new/" + a: 0o600} {
		fi, err := os.Stat(filepath.Join(d.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := fi.Mode().Perm(); got != mode {
			t.Errorf("%s has mode %o, want %o", name, got, mode)
		}
	}
}

func TestFlagLetters(t *testing.T) {
	for _, tt := range []struct {
		flags []retrieval.Flag
		want  string
	}{
		{nil, "new/"},
		{[]retrieval.Flag{"$Junk", "keyword", `\Recent`}, "new/"},
		{[]retrieval.Flag{retrieval.FlagSeen}, "cur/:2,S"},
		{[]retrieval.Flag{`\seen`, `\SEEN`, "$FORWARDED"}, "cur/:2,PS"},
		{[]retrieval.Flag{retrieval.FlagDeleted, retrieval.FlagSeen, retrieval.FlagAnswered, retrieval.FlagForwarded, retrieval.FlagFlagged, retrieval.FlagDraft}, "cur/:2,DFPRST"},
	} {
		d := newMaildir(t)
		ref := d.deliver("1.1", "x", tt.flags...)
		d.flush()
		d.want(strings.Replace(tt.want, "/", "/"+ref, 1) + "=x")
	}
}

// F39: no name that a server gives is a path.
func TestOddUIDs(t *testing.T) {
	d := newMaildir(t)
	var all strings.Builder
	for c := range 256 {
		all.WriteByte(byte(c))
	}
	uids := []string{"", ".", "..", "/", "../../etc/passwd", "a/b", "a:2,S", "A", "a", "ü", "\xff\xfe", "new\nline", strings.Repeat("~", 70), all.String(), strings.Repeat("long", 20_000)}
	safe := regexp.MustCompile(`^postbag-[0-9a-f]{32}$`)
	refs := make(map[string]bool)
	for i, uid := range uids {
		ref := d.deliver(uid, fmt.Sprint(i))
		if !safe.MatchString(ref) {
			t.Errorf("UID %.80q: file name %q", uid, ref)
		}
		refs[ref] = true
	}
	// What is where in the three names matters.
	for _, box := range []retrieval.Box{{Account: "a", Mailbox: "bc"}, {Account: "ab", Mailbox: "c"}, {Account: "abc"}} {
		ref, err := d.Deliver(t.Context(), retrieval.NewMessage(box, retrieval.Summary{UID: "1"}, strings.NewReader("box")))
		if err != nil {
			t.Fatal(err)
		}
		refs[ref] = true
	}
	d.flush()
	if got, want := len(d.list("new")), len(uids)+3; got != want || len(refs) != want {
		t.Errorf("%d files under %d names, want %d", got, len(refs), want)
	}
}

// A second delivery of a message makes no second file, wherever mail programs
// have put the first.
func TestRedelivery(t *testing.T) {
	for _, moved := range []string{"new/%s", "cur/%s:2,", "cur/%s:2,RSa"} {
		d := newMaildir(t)
		ref := d.deliver("1.1", "once")
		d.flush()
		file := fmt.Sprintf(moved, ref)
		d.rename("new/"+ref, file)
		for range 2 {
			if again := d.deliver("1.1", "once"); again != ref {
				t.Errorf("named %q, then %q", ref, again)
			}
			d.flush()
			d.want(file + "=once")
		}
		d.deliver("1.1", "once", retrieval.FlagFlagged)
		d.flush()
		if got := d.list("new", "cur"); len(got) != 1 || !strings.HasPrefix(got[0], "cur/"+ref+":2,F") {
			t.Errorf("%q, want one file with the flag F", got)
		}
	}
	d := newMaildir(t)
	ref := d.deliver("1.1", "once")
	d.deliver("1.1", "once", retrieval.FlagSeen) // within a batch
	d.flush()
	d.want("cur/" + ref + ":2,S=once")
}

// A server that gives a UID to another message must not make us lose one.
func TestReusedUID(t *testing.T) {
	d := newMaildir(t)
	var files []string
	for _, body := range []string{"first", "other", "third, longer"} {
		ref := d.deliver("1", body)
		if len(files)%2 == 0 {
			d.flush()
		}
		files = append(files, "new/"+ref+"="+body)
	}
	d.flush()
	d.want(files...)
	d.open()
	for _, body := range []string{"first", "other", "third, longer"} {
		d.deliver("1", body)
	}
	d.flush()
	d.want(files...)
	if err := os.Remove(filepath.Join(d.dir, strings.TrimSuffix(files[0], "=first"))); err != nil {
		t.Fatal(err)
	}
	d.deliver("1", "third, longer")
	d.flush()
	d.want(files[1:]...)
}

func TestReadError(t *testing.T) {
	d := newMaildir(t)
	body := io.MultiReader(strings.NewReader(strings.Repeat("x", 200_000)), iotest.ErrReader(retrieval.ErrTruncated))
	_, err := d.Deliver(t.Context(), retrieval.NewMessage(inbox, retrieval.Summary{UID: "1.1"}, body))
	if !errors.Is(err, retrieval.ErrTruncated) {
		t.Errorf("%v, want ErrTruncated", err)
	}
	d.flush()
	if left := d.list("tmp", "new", "cur"); len(left) > 0 {
		t.Errorf("files are left: %.100q", left)
	}
}

func TestCloseDropsWhatWasNotFlushed(t *testing.T) {
	d := newMaildir(t)
	for i := range 50 {
		d.deliver(fmt.Sprint(i), "x")
	}
	for range 2 {
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if left := d.list("tmp", "new", "cur"); len(left) > 0 {
		t.Errorf("files are left: %q", left)
	}
	if _, err := d.Deliver(t.Context(), message("1", "x")); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Deliver after Close: %v, want os.ErrClosed", err)
	}
	if left := d.list("tmp", "new", "cur"); len(left) > 0 {
		t.Errorf("files are left: %q", left)
	}
}

func TestCancelledFlush(t *testing.T) {
	d := newMaildir(t)
	d.deliver("1.1", "x")
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if err := d.Flush(ctx); !errors.Is(err, cause) {
		t.Errorf("%v, want the cause", err)
	}
	d.flush()
	d.want()
	ref := d.deliver("1.1", "x")
	d.flush()
	d.want("new/" + ref + "=x")
}

// After a Flush that failed none of its messages is there, and the next one
// works.
func TestFlushFails(t *testing.T) {
	d := newMaildir(t)
	d.deliver("1.1", "to cur", retrieval.FlagSeen)
	d.deliver("1.2", "to new")
	blocked := filepath.Join(d.dir, "new")
	if err := os.Remove(blocked); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.Flush(t.Context()); err == nil {
		t.Fatal("no error, although new is a file")
	}
	if left := d.list("tmp", "cur"); len(left) > 0 {
		t.Errorf("files are left: %q", left)
	}
	os.Remove(blocked)
	if err := os.Mkdir(blocked, 0o700); err != nil {
		t.Fatal(err)
	}
	d.open()
	a := d.deliver("1.1", "to cur", retrieval.FlagSeen)
	b := d.deliver("1.2", "to new")
	d.flush()
	d.want("cur/"+a+":2,S=to cur", "new/"+b+"=to new")
}

func TestOpenMaildirFails(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	half := filepath.Join(dir, "half")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Mkdir(half, 0o700), os.WriteFile(filepath.Join(half, "cur"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ dir, want string }{
		{file, "not a directory"},
		{half, "not a directory"},
		{filepath.Join(dir, "not", "there"), "no such file"},
		{"/proc/mail", ""},
	} {
		if _, err := disk.OpenMaildir(tt.dir); err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), tt.dir) {
			t.Errorf("OpenMaildir(%s): %v, want %q", tt.dir, err, tt.want)
		}
	}
}

func TestConcurrentDeliveries(t *testing.T) {
	d := newMaildir(t)
	var wg sync.WaitGroup
	for w := range 20 {
		wg.Go(func() {
			for i := range 20 {
				if _, err := d.Deliver(t.Context(), message(fmt.Sprint(w, i), fmt.Sprint("body ", w, i))); err != nil {
					t.Error(err)
				}
				if i%7 == 0 {
					if err := d.Flush(t.Context()); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	d.flush()
	if n := len(d.list("new")); n != 400 {
		t.Errorf("%d messages, want 400", n)
	}
}

// A crash leaves files in tmp. They go when their message is delivered again,
// or when they are old; other programs' files stay.
func TestDebris(t *testing.T) {
	d := newMaildir(t)
	ref := d.deliver("1.1", "whole")
	var left []string
	for _, f := range d.list("tmp") {
		left = append(left, strings.TrimSuffix(f, "=whole"))
	}
	if len(left) != 1 {
		t.Fatalf("tmp holds %q", left)
	}
	crashed := filepath.Join(d.dir, left[0])
	old := filepath.Join(d.dir, "tmp", ref+".0123456789abcdef")
	d.Close()
	foreign := filepath.Join(d.dir, "tmp", "1700000000.M1P1.host")
	for _, f := range []string{crashed, old, foreign} {
		if err := os.WriteFile(f, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	past := time.Now().Add(-37 * time.Hour)
	if err := errors.Join(os.Chtimes(old, past, past), os.Chtimes(foreign, past, past)); err != nil {
		t.Fatal(err)
	}
	d.open()
	if got := len(d.list("tmp")); got != 2 {
		t.Errorf("tmp holds %q, want what is young and what is foreign", d.list("tmp"))
	}
	d.deliver("1.1", "whole")
	d.flush()
	d.want("new/" + ref + "=whole")
	if got := d.list("tmp"); len(got) != 1 || got[0] != "tmp/"+filepath.Base(foreign)+"=half" {
		t.Errorf("tmp holds %q, want only what is foreign", got)
	}
}
