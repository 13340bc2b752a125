package disk_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

// folderOf delivers to a mailbox and returns the folder that it went to.
func folderOf(t testing.TB, mailbox string, o *disk.MaildirPlusOptions) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "mail")
	tree, err := disk.OpenMaildirPlus(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	box := retrieval.Box{Account: "a", Mailbox: mailbox}
	ref, err := tree.Deliver(t.Context(), retrieval.NewMessage(box, retrieval.Summary{UID: "1"}, strings.NewReader("x")))
	if err == nil {
		err = tree.Flush(t.Context())
	}
	if err != nil {
		t.Fatalf("%q: %v", mailbox, err)
	}
	folder, inner, _ := strings.Cut(ref, "/")
	if _, err := os.Stat(filepath.Join(dir, folder, "new", inner)); err != nil {
		t.Fatalf("%q: %v", mailbox, err)
	}
	_, err = os.Stat(filepath.Join(dir, folder, "maildirfolder"))
	if (err == nil) != (folder != "") {
		t.Errorf("%q: maildirfolder: %v", mailbox, err)
	}
	return folder
}

func TestFolderNames(t *testing.T) {
	dots, utf8Names := &disk.MaildirPlusOptions{Delimiter: "."}, &disk.MaildirPlusOptions{UTF8: true}
	for _, tt := range []struct {
		mailbox string
		o       *disk.MaildirPlusOptions
		want    string
	}{
		{"INBOX", nil, ""},
		{"inbox", nil, ""},
		{"Work/2024", nil, ".Work.2024"},
		{"Work.2024", dots, ".Work.2024"},
		{"Work/2024", dots, `.Work\2f2024`},
		{"INBOX/Sub", nil, ".INBOX.Sub"},
		{"Entwürfe", nil, ".Entw&APw-rfe"},
		{"Entwürfe", utf8Names, ".Entwürfe"},
		{"日本語/台北", nil, ".&ZeVnLIqe-.&U,BTFw-"},
		{"😀", nil, ".&2D3eAA-"},
		{"A & B", nil, ".A &- B"},
		{"A & B", utf8Names, ".A & B"},
		{"..", nil, `.\2e\2e`},
		{"../../etc/passwd", nil, `.\2e\2e.\2e\2e.etc.passwd`},
		{"a.b", nil, `.a\2eb`},
		{"/a", nil, `.\_.a`},
		{"a//b", nil, `.a.\_.b`},
		{"", nil, `.\_`},
		{"a\x00b\n", nil, `.a\00b\0a`},
		{"\xff\xfe", nil, `.\ff\fe`},
		{"\u202etxt", utf8Names, `.\e2\80\aetxt`},
		{`a\5c`, nil, `.a\5c5c`},
		{"~root", nil, `.\7eroot`},
		{"50%*", nil, `.50\25\2a`},
		{"new", nil, ".new"},
	} {
		if got := folderOf(t, tt.mailbox, tt.o); got != tt.want {
			t.Errorf("%q is in %q, want %q", tt.mailbox, got, tt.want)
		}
	}
}

func TestLongFolderNames(t *testing.T) {
	seen := make(map[string]string)
	for _, mailbox := range []string{
		strings.Repeat("x", 199), strings.Repeat("x", 200), strings.Repeat("x", 1000), strings.Repeat("x", 1000) + "/y",
		strings.Repeat("ü", 500), strings.Repeat("ü", 501), strings.Repeat("x", 160) + strings.Repeat(".", 30), strings.Repeat("x", 164) + strings.Repeat(".", 30),
		strings.Repeat("x", 165) + strings.Repeat(".", 30), strings.Repeat("a/", 400), strings.Repeat("é/", 400),
	} {
		for _, o := range []*disk.MaildirPlusOptions{nil, {UTF8: true}} {
			folder := folderOf(t, mailbox, o)
			if len(folder) > 200 || !utf8.ValidString(folder) {
				t.Errorf("%.20q of %d octets is in %q, which has %d", mailbox, len(mailbox), folder, len(folder))
			}
			if other, ok := seen[folder]; ok && other != mailbox {
				t.Errorf("%q and %q are both in %q", mailbox, other, folder)
			}
			seen[folder] = mailbox
		}
	}
}

// FuzzFolderNames: whatever a server calls a mailbox, it is one folder within
// the tree, and no other mailbox has the same.
func FuzzFolderNames(f *testing.F) {
	f.Add("a/b", "a.b")
	f.Add("..", "")
	f.Add("&", "&-")
	f.Add("\xff", "ÿ")
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, delimiter := range []string{"/", "."} {
			for _, utf8Names := range []bool{false, true} {
				x, y := disk.PlusName(a, delimiter, utf8Names), disk.PlusName(b, delimiter, utf8Names)
				if x == y && a != b && !(strings.EqualFold(a, "INBOX") && strings.EqualFold(b, "INBOX")) {
					t.Errorf("%q and %q are both in %q", a, b, x)
				}
				if x != "" && (x[0] != '.' || strings.HasPrefix(x, "..") || x == "." || strings.ContainsAny(x, "/\x00") || len(x) > 200) {
					t.Errorf("%q is in %q", a, x)
				}
				if utf8Names && !utf8.ValidString(x) {
					t.Errorf("%q is in %q, which is no UTF-8", a, x)
				}
			}
		}
	})
}

// A name from a damaged record leads nowhere out of the tree.
func TestForeignRefs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tree")
	tree, err := disk.OpenMaildirPlus(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	for _, ref := range []string{"", "x", "../postbag-00", "../../x", "..", "/../x", ".a/../x", "\x00/x"} {
		if err := tree.Discard(t.Context(), ref); !errors.Is(err, retrieval.ErrGone) {
			t.Errorf("Discard(%q) = %v, want ErrGone", ref, err)
		}
	}
	if entries, _ := os.ReadDir(filepath.Dir(dir)); len(entries) != 1 {
		t.Errorf("beside the tree are %v", entries)
	}
}

// More mailboxes than are kept open, and several runs at a time.
func TestManyFolders(t *testing.T) {
	tree, err := disk.OpenMaildirPlus(filepath.Join(t.TempDir(), "mail"), &disk.MaildirPlusOptions{MaxOpen: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	one, other := tree.Batch().(*disk.MaildirPlusBatch), tree.Batch().(*disk.MaildirPlusBatch)
	var refs []string
	for i := range 40 {
		box := retrieval.Box{Account: "a", Mailbox: strings.Repeat("x", i/2+1)}
		b := one
		if i%2 == 1 {
			b = other
		}
		ref, err := b.Deliver(t.Context(), retrieval.NewMessage(box, retrieval.Summary{UID: retrieval.UID(rune('a' + i))}, bytes.NewReader([]byte("x"))))
		if err != nil {
			t.Fatal(err)
		}
		refs = append(refs, ref)
	}
	if err := one.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	for i, ref := range refs {
		box := retrieval.Box{Account: "a", Mailbox: strings.Repeat("x", i/2+1)}
		copies, err := tree.Copies(t.Context(), box)
		if _, there := copies[ref]; err != nil || there != (i%2 == 0) || len(copies) != 1 {
			t.Fatalf("of mailbox %d there are %v, %v, want the one that was flushed", i, copies, err)
		}
	}
}

// Who only looks makes no folder.
func TestLookingMakesNoFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mail")
	tree, err := disk.OpenMaildirPlus(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	ctx, box := t.Context(), retrieval.Box{Account: "a", Mailbox: "Work"}
	if store, err := tree.Witnessed(ctx, box); store != "" || err != nil {
		t.Errorf("Witnessed = %q, %v", store, err)
	}
	if ref, found, err := tree.Find(ctx, box, retrieval.Record{UID: "1"}); found || err != nil {
		t.Errorf("Find = %q, %v, %v", ref, found, err)
	}
	if copies, err := tree.Copies(ctx, box); len(copies) > 0 || err != nil {
		t.Errorf("Copies = %v, %v", copies, err)
	}
	if err := tree.Discard(ctx, ".Work/x"); !errors.Is(err, retrieval.ErrGone) {
		t.Errorf("Discard = %v, want ErrGone", err)
	}
	if _, err := tree.SetFlags(ctx, ".Work/x", nil); !errors.Is(err, retrieval.ErrGone) {
		t.Errorf("SetFlags = %v, want ErrGone", err)
	}
	if _, err := os.Lstat(filepath.Join(dir, ".Work")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is there: %v", err)
	}
	if err := tree.Note(t.Context(), box, "store"); err != nil {
		t.Fatal(err)
	}
	if noted, err := tree.Witnessed(t.Context(), box); noted != "store" || err != nil {
		t.Errorf("%q, %v", noted, err)
	}
}
