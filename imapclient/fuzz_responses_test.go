package imapclient_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/postbag/imapclient"
)

// FuzzResponses: whatever a server answers to a command about mailboxes, a
// search or a change, the command ends in a result that is no larger than the
// answer, or in an error that says of what kind it is.
func FuzzResponses(f *testing.F) {
	names := slices.Sorted(maps.Keys(commands(nil)))
	for _, s := range []string{
		`LIST (\HasNoChildren \Sent) "/" "a&APw-" ("CHILDINFO" ("SUBSCRIBED"))`, `LIST () NIL a b`, "LIST () \"/\" {3}\r\na b", `LSUB () "." x`,
		`STATUS a b (MESSAGES 1 UIDNEXT 2 SIZE 3 APPENDLIMIT NIL MAILBOXID (F1))`, "STATUS {1}\r\na (HIGHESTMODSEQ 5)",
		`NAMESPACE (("" "/" "X" ("a" "b"))("#mh/" NIL)) NIL NIL`, `QUOTA "" (STORAGE 10 512)`, `QUOTAROOT INBOX "" x`,
		"SEARCH 2 84 882 (MODSEQ 917162500)", `ESEARCH (TAG "A1") UID MIN 2 MAX 9 COUNT 4 ALL 2:4,9 PARTIAL (-1:-3 5,7:9) MODSEQ 5`, `ESEARCH (TAG "A1") UID ALL 1:4294967295`,
		"SORT 5 3 4", "THREAD (2)(3 6 (4 23)(44 7 96))((1)(2))", "OK [COPYUID 38505 304,319:320 3956:3958] x", "[COPYUID 1 2 3]",
		"1 FETCH (UID 1 FLAGS (\\Seen) MODSEQ (5) RFC822.SIZE 9)", "CAPABILITY IMAP4rev1", "BYE", "NO [ALERT] x\r\n+ go", "4 EXISTS\r\nA1 OK [MODIFIED 1:3] x", "OK\r\nT2 NO [MODIFIED 7] x",
	} {
		for kind := range names {
			f.Add(uint8(kind), []byte(s))
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, answer []byte) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Second, errors.New("the command hangs"))
		defer cancel()
		script := "* PREAUTH [CAPABILITY IMAP4rev1 " + everyExtension + "] hi\r\n* 3 EXISTS\r\n* OK [UIDNEXT 9] n\r\nT1 OK [READ-WRITE]\r\n* " + string(answer) + "\r\n"
		name := names[int(kind)%len(names)]
		switch name {
		case "Namespaces", "Quota", "Create", "Store", "Copy":
			script += "T2 OK done\r\n"
		case "List": // and again, if it was told of none
			script += "A1 OK done\r\nT2 OK done\r\n"
		default:
			script += "A1 OK done\r\nA2 OK done\r\n"
		}
		c, err := imapclient.New(ctx, octets{strings.NewReader(script)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Select(ctx, "INBOX"); err != nil {
			t.Fatal(err)
		}
		most := len(answer) + 1
		switch name {
		case "List":
			if list, _ := c.List(ctx, nil); len(list) > most {
				t.Errorf("%d mailboxes", len(list))
			}
		case "Search":
			r, err := c.Search(ctx, nil, nil)
			if err != nil {
				break
			}
			n, total, last := 0, uint32(0), uint32(0)
			for from, to := range r.UIDs.Ranges() {
				if from <= last || to < from {
					t.Errorf("a range from %d to %d after %d", from, to, last)
				}
				n, total, last = n+1, total+to-from+1, to
			}
			if n > most || total != r.Count || r.Count > 0 && (r.Min == 0 || r.Max != last) {
				t.Errorf("%d ranges, %+v", n, r)
			}
		case "Sort":
			if uids, _ := c.Sort(ctx, nil, nil); len(uids) > most {
				t.Errorf("%d messages", len(uids))
			}
		case "Threads":
			list, _ := c.Threads(ctx, "", nil)
			level := -1
			for _, m := range list {
				if m.Level > level+1 || m.Level < 0 {
					t.Errorf("level %d after %d", m.Level, level)
				}
				level = m.Level
			}
			if len(list) > most {
				t.Errorf("%d messages", len(list))
			}
		default:
			err := commands(c)[name](ctx)
			var said *imapclient.Error
			if err != nil && c.Err() != nil && !errors.As(err, &said) && !errors.Is(err, imapclient.ErrProtocol) && !errors.Is(err, imapclient.ErrUnavailable) {
				t.Errorf("%s = %v", name, err)
			}
		}
		if err := context.Cause(ctx); err != nil {
			t.Fatal(err)
		}
		if bytes.Count(answer, []byte("\n")) == 0 && !bytes.Contains(answer, []byte("}")) && c.Err() != nil && !bytes.Contains(bytes.ToUpper(answer), []byte("BYE")) && name != "Append" && name != "SearchText" {
			t.Errorf("%q ends the session: %v", answer, c.Err())
		}
	})
}
