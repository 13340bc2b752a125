package pop3client_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"example.com/postbag/internal/pop3server"
	"example.com/postbag/pop3client"
)

func TestListing(t *testing.T) {
	for _, noPipelining := range []bool{false, true} {
		t.Run(fmt.Sprintf("NoPipelining=%v", noPipelining), func(t *testing.T) {
			srv := serve(t, pop3server.Options{User: "joe", Password: "secret", NoPipelining: noPipelining})
			c := session(t, srv, nil)
			if list, err := c.Listing(t.Context()); err != nil || len(list) != 0 {
				t.Errorf("Listing of nothing = %v, %v", list, err)
			}
			var want []pop3client.Entry
			for i := range 5 {
				data := []byte(strings.Repeat("x\r\n", i+1))
				want = append(want, pop3client.Entry{Number: i + 1, UID: srv.Deliver(data), Size: int64(len(data))})
			}
			c = session(t, srv, nil)
			if list, err := c.Listing(t.Context()); err != nil || !slices.Equal(list, want) {
				t.Errorf("Listing = %v, %v, want %v", list, err, want)
			}
			if _, err := c.Dele(t.Context(), 2); err != nil {
				t.Fatal(err)
			}
			want = slices.Delete(want, 1, 2) // numbers stay what they are
			if list, err := c.Listing(t.Context()); err != nil || !slices.Equal(list, want) {
				t.Errorf("Listing after Dele = %v, %v, want %v", list, err, want)
			}
			sizes, err := c.List(t.Context())
			if err != nil || len(sizes) != 4 || sizes[3] != (pop3client.Entry{Number: 5, Size: 15}) {
				t.Errorf("List = %v, %v", sizes, err)
			}
			uids, err := c.UIDL(t.Context())
			if err != nil || len(uids) != 4 || uids[3] != (pop3client.Entry{Number: 5, UID: want[3].UID, Size: -1}) {
				t.Errorf("UIDL = %v, %v", uids, err)
			}
		})
	}
}

// session logs in to the server, without TLS.
func session(t testing.TB, srv *pop3server.Server, o *pop3client.Options) *pop3client.Client {
	t.Helper()
	c, err := pop3client.DialPlaintext(t.Context(), srv.Addr(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Login(t.Context(), "joe", "secret"); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestListingReplies gives STAT, LIST and UIDL replies as servers do, good
// and bad ones.
func TestListingReplies(t *testing.T) {
	e := func(n int, uid string, size int64) pop3client.Entry {
		return pop3client.Entry{Number: n, UID: uid, Size: size}
	}
	long := strings.Repeat("u", 1000)
	for _, tt := range []struct {
		name             string
		stat, list, uidl string
		want             []pop3client.Entry
		err              error
	}{
		{"usual", "+OK 2 30", "+OK|1 10|2 20|.", "+OK|1 a|2 b|.", []pop3client.Entry{e(1, "a", 10), e(2, "b", 20)}, nil},
		{"words behind", "+OK 1 10 octets", "+OK|1 10 octets|.", "+OK|1 a|.", []pop3client.Entry{e(1, "a", 10)}, nil},
		{"out of order", "+OK 2 30", "+OK|2 20|1 10|.", "+OK|1 a|2 b|.", []pop3client.Entry{e(1, "a", 10), e(2, "b", 20)}, nil},
		{"quirk 104: several spaces", "+OK 1 10", "+OK|1   10|.", "+OK|1   a |.", []pop3client.Entry{e(1, "a", 10)}, nil},
		{"quirk 105: +OK on each line", "+OK 1 10", "+OK|1 10|.", "+OK|+OK 1 a|.", []pop3client.Entry{e(1, "a", 10)}, nil},
		{"dots", "+OK 1 10", "+OK|1 10|.", "+OK|1 .|.", []pop3client.Entry{e(1, ".", 10)}, nil},
		{"long UID", "+OK 1 10", "+OK|1 10|.", "+OK|1 " + long + "|.", []pop3client.Entry{e(1, long, 10)}, nil},
		{"8-bit UID", "+OK 1 10", "+OK|1 10|.", "+OK|1 \xe4/../%s|.", []pop3client.Entry{e(1, "\xe4/../%s", 10)}, nil},
		{"equal UIDs", "+OK 2 30", "+OK|1 10|2 20|.", "+OK|1 a|2 a|.", []pop3client.Entry{e(1, "a", 10), e(2, "a", 20)}, nil},
		{"empty, lists refused", "+OK 0 0", "-ERR nothing to list", "-ERR nothing to list", nil, nil},
		{"no UIDL", "+OK 1 10", "+OK|1 10|.", "-ERR unknown command", nil, errors.ErrUnsupported},
		{"LIST refused", "+OK 1 10", "-ERR [SYS/TEMP] not now", "+OK|1 a|.", nil, pop3client.ErrUnavailable},
		{"UIDL refused for now", "+OK 1 10", "+OK|1 10|.", "-ERR [SYS/TEMP] not now", nil, pop3client.ErrUnavailable},
		{"STAT refused", "-ERR [SYS/TEMP] not now", "+OK|1 10|.", "+OK|1 a|.", nil, pop3client.ErrUnavailable},

		{"F38: UID of a megabyte", "+OK 1 10", "+OK|1 10|.", "+OK|1 " + strings.Repeat("u", 1<<20) + "|.", nil, pop3client.ErrProtocol},
		{"F39: UID with a space", "+OK 1 10", "+OK|1 10|.", "+OK|1 a b|.", nil, pop3client.ErrProtocol},
		{"F39: UID with ESC", "+OK 1 10", "+OK|1 10|.", "+OK|1 a\x1b[2J|.", nil, pop3client.ErrProtocol},
		{"F39: UID with NUL", "+OK 1 10", "+OK|1 10|.", "+OK|1 a\x00|.", nil, pop3client.ErrProtocol},
		{"F39: UID with CR", "+OK 1 10", "+OK|1 10|.", "+OK|1 a\rb|.", nil, pop3client.ErrProtocol},
		{"F39: UID split in two lines", "+OK 1 10", "+OK|1 10|.", "+OK|1 a|b|.", nil, pop3client.ErrProtocol},
		{"no UID", "+OK 1 10", "+OK|1 10|.", "+OK|1 |.", nil, pop3client.ErrProtocol},
		{"empty line", "+OK 2 10", "+OK|1 10||.", "+OK|1 a|.", nil, pop3client.ErrProtocol},
		{"F40: number above STAT's count", "+OK 1 10", "+OK|2 10|.", "+OK|2 a|.", nil, pop3client.ErrProtocol},
		{"F40: number 0", "+OK 1 10", "+OK|0 10|.", "+OK|1 a|.", nil, pop3client.ErrProtocol},
		{"F40: negative number", "+OK 1 10", "+OK|-1 10|.", "+OK|1 a|.", nil, pop3client.ErrProtocol},
		{"F40: signed number", "+OK 1 10", "+OK|+1 10|.", "+OK|1 a|.", nil, pop3client.ErrProtocol},
		{"F40: repeated number", "+OK 2 10", "+OK|1 10|1 10|.", "+OK|1 a|2 b|.", nil, pop3client.ErrProtocol},
		{"F40: number beyond 2^64", "+OK 1 10", "+OK|18446744073709551617 10|.", "+OK|1 a|.", nil, pop3client.ErrProtocol},
		{"F41: UIDL shorter than STAT", "+OK 2 10", "+OK|1 5|2 5|.", "+OK|1 a|.", nil, pop3client.ErrProtocol},
		{"F41: UIDL longer than STAT", "+OK 1 10", "+OK|1 10|.", "+OK|1 a|2 b|.", nil, pop3client.ErrProtocol},
		{"F41: STAT says none", "+OK 0 0", "+OK|1 10|.", "+OK|1 a|.", nil, pop3client.ErrProtocol},
		{"F42: LIST and UIDL differ", "+OK 1 10", "+OK|.", "+OK|1 a|.", nil, pop3client.ErrProtocol},
		{"F43: size -1", "+OK 1 10", "+OK|1 -1|.", "+OK|1 a|.", nil, pop3client.ErrProtocol},
		{"F43: size 2^80", "+OK 1 10", "+OK|1 1208925819614629174706176|.", "+OK|1 a|.", nil, pop3client.ErrProtocol},
		{"F43: size not a number", "+OK 1 10", "+OK|1 %!d(float64=5461)|.", "+OK|1 a|.", nil, pop3client.ErrProtocol},
		{"F44: STAT of 2000000000", "+OK 2000000000 1", "+OK|.", "+OK|.", nil, pop3client.ErrProtocol},
		{"F44: STAT -1 -1", "+OK -1 -1", "+OK|.", "+OK|.", nil, pop3client.ErrProtocol},
		{"F44: STAT empty", "+OK", "+OK|.", "+OK|.", nil, pop3client.ErrProtocol},
		{"F45: endless LIST", "+OK 3 10", "+OK" + strings.Repeat("|1 10", 100_000) + "|.", "+OK|.", nil, pop3client.ErrProtocol},
		{"F46: list without an end", "+OK 1 10", "+OK|1 10", "", nil, pop3client.ErrUnavailable},
		{"a list that ends in bare LF", "+OK 1 10", "+OK|1 10|.\n+OK", "1 a|.", nil, pop3client.ErrProtocol},
		{"LF and a dot within CRLF lines", "+OK 2 10", "+OK|1 10\n.\n|.", "+OK|1 a|.", nil, pop3client.ErrProtocol},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := loggedIn(t, nil, []string{"PIPELINING"}, func(s *script) {
				s.expect("STAT", "LIST", "UIDL")
				for _, r := range []string{tt.stat, tt.list, tt.uidl} {
					if r == "" {
						return
					}
					s.raw(strings.ReplaceAll(r, "|", "\r\n") + "\r\n")
				}
				if tt.err == nil {
					s.expect("NOOP")
					s.send("+OK")
				}
			})
			list, err := c.Listing(t.Context())
			if !slices.Equal(list, tt.want) || !errors.Is(err, tt.err) {
				t.Fatalf("Listing = %.200v, %v, want %v, %v", list, err, tt.want, tt.err)
			}
			if tt.err == nil {
				if err := c.Noop(t.Context()); err != nil {
					t.Errorf("Noop after Listing: %v", err)
				}
			}
			if tt.err == pop3client.ErrProtocol && c.Err() == nil {
				t.Error("the session goes on")
			}
		})
	}
}

func TestUIDLThatCAPAHas(t *testing.T) {
	c := loggedIn(t, nil, []string{"UIDL"}, func(s *script) {
		s.expect("UIDL")
		s.send("-ERR busy") // F33: it has it, but not now
	})
	if _, err := c.UIDL(t.Context()); err == nil || errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("UIDL = %v, want an error that is not ErrUnsupported", err)
	}
}

// F34: which names are not one message's.
func TestDuplicates(t *testing.T) {
	list := []pop3client.Entry{{UID: "a"}, {UID: "b"}, {UID: "a"}, {UID: "c"}, {UID: "a"}, {UID: "c"}}
	if got := pop3client.Duplicates(list); !slices.Equal(got, []string{"a", "c"}) {
		t.Errorf("Duplicates = %q, want a and c", got)
	}
}

func TestListEach(t *testing.T) {
	for _, tt := range windows {
		tt.srv.User, tt.srv.Password = "joe", "secret"
		srv := serve(t, tt.srv)
		messages(srv, 20)
		c := session(t, srv, &tt.opts)
		list := entries(t, c)
		var got []pop3client.Entry
		gone := 0
		for e, err := range c.ListEach(t.Context(), 3, 99, 1) {
			if errors.Is(err, pop3client.ErrGone) {
				gone++
			} else if got = append(got, e); err != nil {
				t.Errorf("%s: ListEach: %v", tt.name, err)
			}
		}
		for e, err := range c.UIDLEach(t.Context(), 20, 99, 1, 2, 3, 4) {
			if errors.Is(err, pop3client.ErrGone) {
				gone++
				continue
			} else if got = append(got, e); err != nil {
				t.Errorf("%s: UIDLEach: %v", tt.name, err)
			}
			if e.Number == 2 {
				break
			}
		}
		want := []pop3client.Entry{{Number: 3, Size: list[2].Size}, {Number: 1, Size: list[0].Size},
			{Number: 20, Size: -1, UID: list[19].UID}, {Number: 1, Size: -1, UID: list[0].UID}, {Number: 2, Size: -1, UID: list[1].UID}}
		if gone != 2 || !slices.Equal(got, want) {
			t.Errorf("%s: got %v and %d that are gone, want %v and 2", tt.name, got, gone, want)
		}
		if err := c.Noop(t.Context()); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestSingleReplies(t *testing.T) {
	for _, tt := range []struct {
		reply string
		size  int64
		err   error
	}{
		{"+OK 3 120", 120, nil},
		{"+OK 3 120 octets", 120, nil},
		{"+OK 120", 120, nil}, // quirk 106: Twisted
		{"+OK", 0, pop3client.ErrProtocol},
		{"+OK 4 120", 0, pop3client.ErrProtocol},
		{"+OK 3 many", 0, pop3client.ErrProtocol},
		{"+OK scan listing follows", 0, pop3client.ErrProtocol}, // quirk 107: Mailpit
	} {
		c := loggedIn(t, nil, nil, func(s *script) {
			s.expect("LIST 3")
			s.send(tt.reply)
		})
		for e, err := range c.ListEach(t.Context(), 3) {
			if !errors.Is(err, tt.err) || err == nil && e != (pop3client.Entry{Number: 3, Size: tt.size}) {
				t.Errorf("%s: %v, %v", tt.reply, e, err)
			}
			if (err != nil) != (c.Err() != nil) {
				t.Errorf("%s: the session: %v", tt.reply, c.Err())
			}
		}
	}
}

func TestListEachCancel(t *testing.T) {
	srv := serve(t, pop3server.Options{User: "joe", Password: "secret"})
	messages(srv, 3)
	c := session(t, srv, nil)
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	n := 0
	var last error
	for _, err := range c.ListEach(ctx, 1, 2, 3) {
		n++
		last = err
		cancel(cause)
	}
	if n != 2 || !errors.Is(last, cause) {
		t.Errorf("%d entries, then %v, want the cause instead of the second", n, last)
	}
}

// Which messages there are is what the lists must agree on, not just how many.
func TestListingAfterDele(t *testing.T) {
	c := loggedIn(t, nil, nil, func(s *script) {
		for _, line := range []struct{ command, reply string }{
			{"DELE 1", "+OK"}, {"STAT", "+OK 1 20"}, {"LIST", "+OK\r\n2 20\r\n."}, {"UIDL", "+OK\r\n1 a\r\n."},
		} {
			s.expect(line.command)
			s.send(line.reply)
		}
	})
	if _, err := c.Dele(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if list, err := c.Listing(t.Context()); !errors.Is(err, pop3client.ErrProtocol) {
		t.Errorf("Listing = %v, %v, want ErrProtocol", list, err)
	}
}

// A million UIDs of 8 KiB each would be 8 GB: a listing has a bound in octets,
// too, far beyond what any server needs.
func TestListingOctets(t *testing.T) {
	for _, tt := range []struct {
		length int // of each UID
		want   error
	}{{1000, nil}, {8000, pop3client.ErrProtocol}} {
		c := loggedIn(t, &pop3client.Options{MaxMessages: 100}, nil, func(s *script) {
			s.expect("UIDL")
			s.send("+OK")
			for i := range 60 {
				s.send(fmt.Sprintf("%d %0*d", i+1, tt.length, i+1))
			}
			s.send(".")
		})
		if list, err := c.UIDL(t.Context()); !errors.Is(err, tt.want) || tt.want == nil && len(list) != 60 {
			t.Errorf("UIDs of %d octets: %d entries, %v, want %v", tt.length, len(list), err, tt.want)
		}
	}
}
