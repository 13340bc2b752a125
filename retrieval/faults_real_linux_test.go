package retrieval_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"example.com/postbag/imapclient"
	"example.com/postbag/internal/servers"
	"example.com/postbag/retrieval"
)

// TestRealForeign is F60, F61, F62, F65 and F66 with servers that people use: a
// second client marks messages before and within a run, and a message that is
// kept; and they stay, with all their flags, whether we delete, move or mark.
func TestRealForeign(t *testing.T) {
	for _, kind := range []servers.Kind{servers.Dovecot, servers.Cyrus} {
		for _, does := range []string{"deleting", "moving", "marking"} {
			t.Run(fmt.Sprint(kind, " ", does), func(t *testing.T) {
				b := newRealBox(t, kind)
				b.acct.Policy, b.acct.Upstream = retrieval.LeaveOnServer, retrieval.Upstream{}
				b.acct.Filter.Summary = func(m retrieval.Summary) bool { return m.Size < 5000 }
				if _, err := b.other.CreateMailbox(t.Context(), "Done"); err != nil {
					t.Fatal(err)
				}
				kept, ours := mail("KEPT", 1), mail("OURS", 1)
				b.real.Deliver(t, "joe", kept, mail("BEFORE", 9000), mail("MEANWHILE", 9000))
				b.mustRun(retrieval.Report{Listed: 3, Delivered: 1, Skipped: 2})
				uids := b.uids()
				b.flag(imapclient.AddFlags, `\Deleted`, uids[0], uids[1])
				b.flag(imapclient.AddFlags, "keyword", uids[0])
				b.real.Deliver(t, "joe", ours)
				uids = b.uids()
				b.flag(imapclient.AddFlags, "keyword", uids[3])
				keep := retrieval.UID(fmt.Sprint(".", uids[0]))
				want, done := []string{`BEFORE:\Deleted`, `KEPT:\Deleted,keyword`, `MEANWHILE:\Deleted,keyword`}, "[]"
				switch does {
				case "deleting":
					b.acct.Policy = func(_ *retrieval.Summary, rec *retrieval.Record, _ retrieval.Position) retrieval.Action {
						if rec == nil || !strings.HasSuffix(string(rec.UID), string(keep)) {
							return retrieval.DeliverAndDelete
						}
						return retrieval.Keep
					}
				case "moving":
					b.acct.After.MoveTo = "Done"
					done = "[OURS:keyword]"
				case "marking":
					b.acct.After.Flags = []retrieval.Flag{"$Got"}
					want = append(want, "OURS:$Got,keyword")
				}
				_, err := b.runWith(func(s retrieval.Sink, st retrieval.Store) (retrieval.Sink, retrieval.Store) {
					return &hookedSink{s.(maildir), func(op string) error {
						if op == "deliver" { // meanwhile
							b.flag(imapclient.AddFlags, `\Deleted`, uids[2])
							b.flag(imapclient.AddFlags, "keyword", uids[2])
						}
						return nil
					}}, st
				})
				if err != nil {
					t.Fatal(err)
				}
				got := b.held("INBOX")
				slices.Sort(got)
				if !slices.Equal(got, want) {
					t.Errorf("on the server are %s, want %s", got, want)
				}
				if got := fmt.Sprint(b.held("Done")); got != done {
					t.Errorf("in Done are %s, want %s", got, done)
				}
			})
		}
	}
}

// uids selects the INBOX and lists it.
func (b *realBox) uids() (uids []uint32) {
	b.t.Helper()
	if _, err := b.other.Select(b.t.Context(), "INBOX"); err != nil {
		b.t.Fatal(err)
	}
	for s, err := range b.other.Summaries(b.t.Context(), imapclient.All()) {
		if err != nil {
			b.t.Fatal(err)
		}
		uids = append(uids, s.UID)
	}
	return uids
}
