package main

import (
	"crypto/tls"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/postbag/internal/testca"
	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

// scripted answers each connection with a greeting and, whatever it reads,
// with the same lines.
func scripted(t *testing.T, cfg *tls.Config, greeting, answer string) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if cfg != nil {
		ln = tls.NewListener(ln, cfg)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				io.WriteString(c, greeting)
				buf := make([]byte, 1024)
				for {
					n, err := c.Read(buf)
					if err != nil {
						return
					}
					tag, _, _ := strings.Cut(string(buf[:n]), " ")
					io.WriteString(c, strings.ReplaceAll(answer, "TAG", tag))
				}
			}()
		}
	}()
	return ln.Addr().String()
}

// Each thing that can go wrong has an exit code, and one clear line.
func TestExitCodes(t *testing.T) {
	pop3, imap := newPlace(t, retrieval.POP3), newPlace(t, retrieval.IMAP)
	imap.server.Deliver(demoMail()...)
	imap.write("wrong", "wrong\n")
	imap.write("empty", "")
	imap.write("file", "not a ledger, nor a folder")
	ca, err := testca.New()
	if err != nil {
		t.Fatal(err)
	}
	imap.write("otherca", string(ca.PEM()))
	bad := func(until time.Duration, host string) string {
		cert, err := ca.Issue(time.Now().Add(until), host)
		if err != nil {
			t.Fatal(err)
		}
		return scripted(t, &tls.Config{Certificates: []tls.Certificate{cert}}, "* OK hello\r\n", "")
	}
	locked, err := disk.OpenLedger(imap.path("locked"))
	if err != nil {
		t.Fatal(err)
	}
	defer locked.Close()

	password, cafile, none := "-password-file="+imap.path("password"), "-cafile="+imap.path("ca"), "-to=none"
	for _, tt := range []struct {
		name string
		args []string
		code int
		say  string // on stderr
	}{
		{"wrong password", []string{"-password-file", imap.path("wrong"), cafile, none, imap.url}, 3, "does not accept user name and password"},
		{"wrong password, POP3", []string{"-password-file", imap.path("wrong"), "-cafile", pop3.path("ca"), none, pop3.url}, 3, "does not accept user name and password"},
		{"unknown host", []string{password, none, "imaps://joe@no..host"}, 4, "no such host"},
		{"refused port", []string{password, none, "pop3s://joe@127.0.0.1:1"}, 4, "connection refused"},
		{"hangs up", []string{password, none, "-plaintext", "pop3://joe@" + hangsUp(t)}, 4, "not available"},
		{"expired certificate", []string{password, "-cafile", imap.path("otherca"), none, "imaps://joe@" + bad(-time.Hour, "127.0.0.1")}, 5, "expired"},
		{"wrong name in the certificate", []string{password, "-cafile", imap.path("otherca"), none, "imaps://joe@" + bad(time.Hour, "elsewhere.example")}, 5, "127.0.0.1"},
		{"unknown authority", []string{password, none, imap.url}, 5, "unknown authority"},
		{"no STARTTLS", []string{password, none, "imap://joe@" + scripted(t, nil, "* OK [CAPABILITY IMAP4rev1] hello\r\n", "* CAPABILITY IMAP4rev1\r\nTAG OK done\r\n")}, 5, "STARTTLS"},
		{"no STLS", []string{password, none, "pop3://joe@" + scripted(t, nil, "+OK hello\r\n", "-ERR no\r\n")}, 5, "STLS"},
		{"not a mail server", []string{password, none, "-plaintext", "pop3://joe@" + scripted(t, nil, "SSH-2.0-OpenSSH\r\n", "")}, 5, "protocol"},
		{"no such mailbox", []string{password, cafile, none, imap.url + "/Nowhere"}, 2, "no such mailbox"},
		{"Maildir is a file", []string{password, cafile, "-to", "maildir:" + imap.path("file"), imap.url}, 6, "not a directory"},
		{"Maildir in no folder", []string{password, cafile, "-to", "maildir:" + imap.path("no/mail"), imap.url}, 6, "no such file"},
		{"ledger is none", []string{password, cafile, none, "-ledger", imap.path("file"), imap.url}, 6, "not a ledger"},
		{"ledger in no folder", []string{password, cafile, none, "-ledger", imap.path("no/ledger"), imap.url}, 6, "no such file"},
		{"ledger in use", []string{password, cafile, none, "-ledger", imap.path("locked"), imap.url}, 4, "in use by another process"},
		{"record in no folder", []string{password, cafile, none, "-record", imap.path("no/session"), imap.url}, 6, "no such file"},
		{"record unmasked what", []string{password, cafile, none, "-record-unmasked", imap.url}, 2, "-record"},
		{"transcript in no folder", []string{password, cafile, none, "-transcript", imap.path("no/transcript"), imap.url}, 6, "no such file"},
		{"list, wrong password", []string{"-password-file", imap.path("wrong"), cafile, "-list", imap.url}, 3, "does not accept user name and password"},
		{"list, no such mailbox", []string{password, cafile, "-list", imap.url + "/Nowhere"}, 2, "no such mailbox"},

		{"nothing", nil, 2, "URL"},
		{"two URLs", []string{password, none, imap.url, imap.url}, 2, "URL"},
		{"unknown flag", []string{"-colour", imap.url}, 2, "-colour"},
		{"not a number", []string{"-limit", "many", imap.url}, 2, "many"},
		{"negative limit", []string{none, "-limit", "-1", imap.url}, 2, "-limit"},
		{"not a URL", []string{password, none, "example.com"}, 2, "scheme"},
		{"password in the URL", []string{none, "imaps://joe:secret@example.com"}, 2, "password does not belong"},
		{"unknown policy", []string{password, none, "-policy", "keep", imap.url}, 2, "leave, delete, sync"},
		{"unknown reset", []string{password, none, "-reset", "hope", imap.url}, 2, "stop, rematch"},
		{"unknown sink", []string{password, "-to", "ftp:x", imap.url}, 2, "maildir:DIR"},
		{"Maildir without a name", []string{password, "-to", "maildir:", imap.url}, 2, "maildir:DIR"},
		{"no sink", []string{password, imap.url}, 2, "-to"},
		{"unknown progress", []string{password, none, "-progress", "always", imap.url}, 2, "auto nor never"},
		{"sync without a ledger", []string{password, "-policy", "sync", "-to", "maildir:" + imap.path("mail"), imap.url}, 2, "-ledger"},
		{"sync with POP3", append(pop3.into(), password, "-policy", "sync", pop3.url), 2, "IMAP"},
		{"sync to nowhere", []string{password, none, "-policy", "sync", "-ledger", imap.path("ledger"), imap.url}, 2, "lose"},
		{"delete to nowhere", []string{password, none, "-policy", "delete", imap.url}, 2, "lose"},
		{"no password", []string{none, imap.url}, 2, "-password-file"},
		{"two passwords", []string{password, "-password-env", "HOME", none, imap.url}, 2, "-password-env"},
		{"no password file", []string{"-password-file", imap.path("no"), none, imap.url}, 2, "no such file"},
		{"empty password file", []string{"-password-file", imap.path("empty"), none, imap.url}, 2, "no password"},
		{"password file is a folder", []string{"-password-file", imap.dir, none, imap.url}, 2, "directory"},
		{"no such variable", []string{"-password-env", "MAILGET_TEST_UNSET", none, imap.url}, 2, "MAILGET_TEST_UNSET"},
		{"no such CA file", []string{password, "-cafile", imap.path("no"), none, imap.url}, 2, "no such file"},
		{"CA file without a certificate", []string{password, "-cafile", imap.path("file"), none, imap.url}, 2, "no certificate"},
		{"plaintext with TLS", []string{password, "-plaintext", none, imap.url}, 2, "-plaintext"},

		{"none with a name", []string{password, "-to", "none:x", imap.url}, 2, "maildir:DIR"},
		{"mbox without a name", []string{password, "-to", "mbox:", imap.url}, 2, "mbox:FILE"},
		{"mbox in no folder", []string{password, cafile, "-to", "mbox:" + imap.path("no/mbox"), imap.url}, 6, "no such file"},
		{"not an mbox", []string{password, cafile, "-to", "mbox:" + imap.path("file"), imap.url}, 6, "not an mbox"},
		{"no such program", []string{password, cafile, "-allow-root", "-to", "pipe:" + imap.path("no") + " x", imap.url}, 2, "no such file"},
		{"no program", []string{password, "-to", "pipe: ", imap.url}, 2, "pipe:"},
		{"root for no program", []string{password, none, "-allow-root", imap.url}, 2, "-allow-root"},
		{"LMTP to nobody", []string{password, "-to", "lmtp:127.0.0.1:24", imap.url}, 2, "-rcpt"},
		{"LMTP without a port", []string{password, cafile, "-to", "lmtp:localhost", "-rcpt", "joe", imap.url}, 2, "-to lmtp"},
		{"SMTP to nobody", []string{password, "-to", "smtp:127.0.0.1:25", imap.url}, 2, "-rcpt"},
		{"SMTP without a port", []string{password, cafile, "-to", "smtp:localhost", "-rcpt", "joe", imap.url}, 2, "-to smtp"},
		{"two places, one of them none", append(imap.into(), password, none, imap.url), 2, "-to none"},
		{"a place twice", append(imap.into(), password, "-to", "maildir:"+imap.path("mail"), imap.url), 2, "twice"},
		{"sync to a Maildir and an mbox", append(imap.into(), password, "-policy", "sync", "-to", "mbox:"+imap.path("mbox"), imap.url), 2, "-to maildir"},
		{"both ways with two", append(imap.into(), password, "-policy", "sync", "-both", "-to", "maildir:"+imap.path("other"), imap.url), 2, "one -to"},
		{"two places, one of which is not there", []string{password, cafile, "-to", "mbox:" + imap.path("no/mbox"), "-to", "maildir:" + imap.path("mail"), imap.url}, 6, "no such file"},
		{"recipients of a Maildir", []string{password, none, "-rcpt", "joe", imap.url}, 2, "-to lmtp"},

		{"not a size", []string{none, "-max-size", "10 bananas", imap.url}, 2, "not a size"},
		{"too large a size", []string{none, "-limit-bytes", "9999999999999GB", imap.url}, 2, "not a size"},
		{"not a duration", []string{none, "-limit-time", "soon", imap.url}, 2, "not a duration"},
		{"less than no time", []string{none, "-limit-time", "-1h", imap.url}, 2, "not a duration"},
		{"no time", []string{none, "-delete-after", "0d", imap.url}, 2, "no time"},
		{"keep none", append(imap.into(), password, "-keep-last", "0", imap.url), 2, "-policy delete"},
		{"two policies", append(imap.into(), password, "-keep-last", "3", "-policy", "sync", imap.url), 2, "-policy sync"},
		{"two retentions", append(imap.into(), password, "-keep-last", "3", "-delete-after", "3d", imap.url), 2, "-delete-after"},
		{"delete after, without a ledger", []string{password, "-delete-after", "3d", "-to", "maildir:" + imap.path("mail"), imap.url}, 2, "-ledger"},
		{"delete after, to nowhere", []string{password, "-delete-after", "3d", none, "-ledger", imap.path("ledger"), imap.url}, 2, "-delete-after needs a place"},
		{"keep last, to nowhere", []string{password, "-keep-last", "3", none, imap.url}, 2, "-keep-last needs a place"},
		{"sync to an mbox", []string{password, "-policy", "sync", "-ledger", imap.path("ledger"), "-to", "mbox:" + imap.path("mbox"), imap.url}, 2, "-to maildir"},
		{"both ways, leaving", append(imap.into(), password, "-both", imap.url), 2, "-policy sync"},
		{"the other way, leaving", append(imap.into(), password, "-up", imap.url), 2, "-policy sync"},
		{"both ways and one way", append(imap.into(), password, "-policy", "sync", "-up", "-both", imap.url), 2, "-both"},
		{"poll without a watch", append(imap.into(), password, "-poll", "1h", imap.url), 2, "-watch"},
		{"poll at once", append(imap.into(), password, "-watch", "-poll", "0s", imap.url), 2, "no time"},
		{"trash, one way", append(imap.into(), password, "-policy", "sync", "-trash", "Trash", imap.url), 2, "-both"},
		{"trash without a name", append(imap.into(), password, "-policy", "sync", "-both", "-trash", "", imap.url), 2, "-trash"},
		{"mark what is deleted", append(imap.into(), password, "-policy", "delete", "-mark-seen", imap.url), 2, "-mark-seen"},
		{"move what will be deleted", append(imap.into(), password, "-delete-after", "3d", "-move-to", "Done", imap.url), 2, "-move-to"},
		{"move what is in step", append(imap.into(), password, "-policy", "sync", "-move-to", "Done", imap.url), 2, "-move-to"},
		{"move to no name", append(imap.into(), password, "-move-to", "", imap.url), 2, "-move-to"},
		{"move to where it is", append(imap.into(), password, "-move-to", "inbox", imap.url), 2, "-move-to"},
		{"mark what is thrown away", []string{password, none, "-mark-seen", imap.url}, 2, "-mark-seen"},
		{"mark with POP3", append(pop3.into(), password, "-mark-seen", pop3.url), 2, "IMAP"},
		{"mailboxes with POP3", append(pop3.into(), password, "-mailboxes", "*", pop3.url), 2, "IMAP"},
		{"mailboxes beside one", append(imap.into(), password, "-mailboxes", "*", imap.url+"/INBOX"), 2, "-mailboxes"},
		{"no mailboxes", append(imap.into(), password, "-mailboxes", ",", imap.url), 2, "-mailboxes"},
		{"mailboxes that are not there", []string{password, cafile, none, "-mailboxes", "INBOX,Nowhere", imap.url}, 2, "no such mailbox"},
		{"dry run for ever", append(imap.into(), password, "-dry-run", "-watch", imap.url), 2, "-watch"},
		{"watch and retry", append(imap.into(), password, "-watch", "-retry", "3", imap.url), 2, "-retry"},
		{"retry less than never", append(imap.into(), password, "-retry", "-1", imap.url), 2, "-retry"},
		{"watch without a ledger", []string{password, none, "-watch", imap.url}, 2, "-ledger"},
		{"watch and record", append(imap.into(), password, "-watch", "-record", imap.path("session"), imap.url), 2, "-record"},
		{"list with a filter", []string{password, "-list", "-from", "ann", imap.url}, 2, "-from"},
		{"list and watch", []string{password, "-list", "-watch", imap.url}, 2, "-watch"},
		{"demo with a URL", []string{"-demo", imap.url}, 2, "-demo"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := call(t.Context(), tt.args...)
			if r.code != tt.code || !strings.Contains(r.stderr, tt.say) {
				t.Errorf("exit code %d, want %d, with %q in %q", r.code, tt.code, tt.say, r.stderr)
			}
			if !strings.HasPrefix(r.stderr, "mailget: ") || strings.Count(r.stderr, "\n") != 1 || r.stdout != "" {
				t.Errorf("stderr %q, stdout %q, want one line on stderr", r.stderr, r.stdout)
			}
			t.Log(strings.TrimSpace(r.stderr))
		})
	}
	if _, err := os.Stat(imap.path("mail")); err == nil {
		t.Error("a call that was refused made a Maildir")
	}
	if data, _ := os.ReadFile(imap.path("file")); string(data) != "not a ledger, nor a folder" {
		t.Error("a file that is not a ledger was overwritten")
	}
}

func hangsUp(t *testing.T) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	return ln.Addr().String()
}

func TestHelp(t *testing.T) {
	r := call(t.Context(), "-help")
	if r.code != 0 || r.stderr != "" {
		t.Errorf("%+v", r)
	}
	for _, flag := range strings.Fields("password-env password-file policy to ledger reset list limit cafile plaintext json transcript record record-unmasked progress demo " +
		"dry-run watch poll retry mailboxes rcpt allow-root limit-bytes limit-time newest-first max-size from subject delete-after keep-last mark-seen move-to both up trash") {
		if !strings.Contains(r.stdout, "\n  -"+flag) {
			t.Errorf("-help does not tell of -%s", flag)
		}
	}
}

// What the README shows is right: each of its command lines is accepted.
func TestReadmeCommands(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	for line := range strings.Lines(string(readme)) {
		words, ok := strings.CutPrefix(line, "    mailget ")
		if !ok {
			continue
		}
		shown++
		o, err := parse(shellWords(words), io.Discard)
		if err == nil {
			var a retrieval.Account
			if a, err = retrieval.ParseURL(o.url); err == nil {
				err = o.checkServer(a)
			}
		}
		if err != nil {
			t.Errorf("%s%v", line, err)
		}
	}
	if shown < 5 {
		t.Errorf("the README shows %d command lines", shown)
	}
}

// shellWords splits a line as a shell does, as far as single quotes go.
func shellWords(line string) []string {
	var words []string
	for i, part := range strings.Split(strings.TrimSpace(line), "'") {
		if i%2 == 0 {
			words = append(words, strings.Split(part, " ")...)
			continue
		}
		words[len(words)-1] += part
	}
	return slices.DeleteFunc(words, func(w string) bool { return w == "" })
}
