package imapclient_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"example.com/postbag/imapclient"
	"example.com/postbag/internal/session"
)

// hanging is a server that hangs up over some of its messages.
type hanging struct {
	validity int
	bad      map[uint32]string // how: before it, all (before anything), within it, once
	sessions int
	searched int              // how often it was asked which messages there are
	gaps     bool             // there is none but every third
	found    string           // what a search answers; empty: what there is
	expunge  map[int][]uint32 // by session: what goes
	mute     map[uint32]bool  // nothing is said of it
}

const hangingMessages = 3000 // the highest UID

// there returns the messages of a set that there are.
func (h *hanging) there(set string) (uids []uint32) {
	for _, uid := range expand(set) {
		if uid <= hangingMessages && !(h.gaps && uid%3 != 0) {
			uids = append(uids, uid)
		}
	}
	return slices.DeleteFunc(uids, func(uid uint32) bool {
		for session, gone := range h.expunge {
			if session <= h.sessions && slices.Contains(gone, uid) {
				return true
			}
		}
		return false
	})
}

func (h *hanging) dial(ctx context.Context) (*imapclient.Client, error) {
	h.sessions++
	client, server := session.Pipe()
	go h.serve(server)
	c, err := imapclient.New(ctx, client, nil)
	if err != nil {
		return nil, err
	}
	_, err = c.Select(ctx, "INBOX")
	return c, err
}

func (h *hanging) serve(conn io.ReadWriteCloser) {
	defer conn.Close()
	fmt.Fprint(conn, "* PREAUTH [CAPABILITY IMAP4rev1] hello\r\n")
	in := bufio.NewScanner(conn)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		f := strings.Fields(in.Text())
		if f[1] != "UID" {
			fmt.Fprintf(conn, "* %d EXISTS\r\n* OK [UIDVALIDITY %d] v\r\n%s OK done\r\n", len(h.there("1:*")), h.validity, f[0])
			continue
		}
		if f[2] == "SEARCH" {
			h.searched++
			answer := "SEARCH " + strings.Trim(fmt.Sprint(h.there("1:*")), "[]")
			if h.found != "" {
				answer = strings.ReplaceAll(h.found, "TAG", fmt.Sprintf("(TAG %q)", f[0]))
			}
			fmt.Fprintf(conn, "* %s\r\n%s OK done\r\n", answer, f[0])
			continue
		}
		row, half := "* %d FETCH (UID %d BODY[] {4}\r\nmail)\r\n", "* %d FETCH (UID %d BODY[] {9}\r\nhal"
		if !strings.Contains(in.Text(), "BODY.PEEK[]") {
			row, half = "* %d FETCH (UID %d FLAGS (x) RFC822.SIZE 4)\r\n", "* %d FETCH (UID %d FLAGS (x) RFC822.SI"
		}
		uids := h.there(f[3])
		if slices.ContainsFunc(uids, func(uid uint32) bool { return h.bad[uid] == "all" }) {
			fmt.Fprint(conn, "* BYE out of memory\r\n")
			return
		}
		for _, uid := range uids {
			switch h.bad[uid] {
			case "within":
				fmt.Fprintf(conn, half, uid, uid)
				return
			case "once":
				delete(h.bad, uid)
				fallthrough
			case "before":
				fmt.Fprint(conn, "* BYE internal error\r\n")
				return
			case "throttled":
				fmt.Fprint(conn, "* BYE Suggested Backoff Time: 1000 milliseconds\r\n")
				return
			}
			if !h.mute[uid] {
				fmt.Fprintf(conn, row, uid, uid)
			}
		}
		fmt.Fprintf(conn, "%s OK done\r\n", f[0])
	}
}

func expand(set string) (uids []uint32) {
	for r := range strings.SplitSeq(set, ",") {
		first, last, ok := strings.Cut(r, ":")
		if !ok {
			last = first
		}
		a, _ := strconv.Atoi(first)
		b, err := strconv.Atoi(last)
		if err != nil { // "*"
			b = hangingMessages
		}
		b = min(b, hangingMessages)
		for ; a <= b; a++ {
			uids = append(uids, uint32(a))
		}
	}
	return uids
}

func TestBodiesThrough(t *testing.T) {
	const all = 2500
	for _, tt := range []struct {
		name     string
		bad      map[uint32]string
		want     []uint32 // that cannot be had
		sessions int      // at most
	}{
		{"none", nil, nil, 1},
		{"before it", map[uint32]string{700: "before"}, []uint32{700}, 4},
		{"within it", map[uint32]string{700: "within"}, []uint32{700}, 4},
		{"before anything", map[uint32]string{700: "all"}, []uint32{700}, 13},
		{"the first and the last", map[uint32]string{1: "before", all: "within"}, []uint32{1, all}, 17},
		{"neighbours", map[uint32]string{1200: "before", 1201: "all", 1202: "within"}, []uint32{1200, 1201, 1202}, 24},
		{"by chance", map[uint32]string{5: "once", 6: "once", 2000: "once"}, nil, 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := &hanging{validity: 7, bad: tt.bad}
			c, err := h.dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			last := c
			redial := func(ctx context.Context) (*imapclient.Client, error) {
				var err error
				last, err = h.dial(ctx)
				return last, err
			}
			var uids []uint32
			for uid := range uint32(all) {
				uids = append(uids, uid+1)
			}
			got := make(map[uint32]int)
			var failed []uint32
			for m, err := range imapclient.BodiesThrough(t.Context(), c, redial, uids...) {
				one, hung := (*imapclient.MessageError)(nil), (*imapclient.HangUpError)(nil)
				if errors.As(err, &one) && errors.As(err, &hung) {
					failed = append(failed, one.UID)
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if data, err := io.ReadAll(m); err == nil && string(data) == "mail" {
					got[m.UID]++
				} else if !errors.Is(err, imapclient.ErrTruncated) {
					t.Errorf("message %d: %q, %v", m.UID, data, err)
				}
			}
			slices.Sort(failed)
			if !slices.Equal(failed, tt.want) || len(got) != all-len(tt.want) || h.sessions > tt.sessions {
				t.Errorf("%d messages, without %d, in %d sessions", len(got), failed, h.sessions)
			}
			for uid, n := range got {
				if n != 1 {
					t.Errorf("message %d came %d times", uid, n)
				}
			}
			if err := last.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// Going on has its ends.
func TestBodiesThroughEnds(t *testing.T) {
	always, within := make(map[uint32]string), make(map[uint32]string)
	var uids []uint32
	for uid := uint32(1); uid <= 100; uid++ {
		uids, always[uid], within[uid] = append(uids, uid), "before", "within"
	}
	down := errors.New("down")
	for _, tt := range []struct {
		name     string
		bad      map[uint32]string
		validity int
		redial   error
		sessions int
	}{
		{"a server that always hangs up", always, 7, nil, 17},
		{"a server that cuts every message short", within, 7, nil, 17},
		{"a server that asks for patience", map[uint32]string{50: "throttled"}, 7, nil, 1},
		{"another UIDVALIDITY", map[uint32]string{50: "before"}, 8, nil, 2},
		{"no other session", map[uint32]string{50: "before"}, 7, down, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := &hanging{validity: 7, bad: tt.bad}
			c, err := h.dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			h.validity = tt.validity
			last := c
			redial := func(ctx context.Context) (_ *imapclient.Client, err error) {
				if tt.redial != nil {
					return nil, tt.redial
				}
				last, err = h.dial(ctx)
				return last, err
			}
			var end error
			for m, err := range imapclient.BodiesThrough(t.Context(), c, redial, uids...) {
				if m == nil {
					end = err
				}
			}
			if one := (*imapclient.MessageError)(nil); end == nil || errors.As(end, &one) || tt.redial != nil && !errors.Is(end, tt.redial) || h.sessions != tt.sessions {
				t.Errorf("%v, after %d sessions", end, h.sessions)
			}
			last.Close()
		})
	}
}

// A session that ends says what had not come.
func TestHangUp(t *testing.T) {
	for _, tt := range []struct {
		how, suspects string
		next          uint32
	}{{"before", "3:6", 3}, {"within", "3:6", 3}, {"all", "1:6", 1}} {
		h := &hanging{validity: 7, bad: map[uint32]string{3: tt.how}}
		c, err := h.dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var end error
		for _, err := range c.Bodies(t.Context(), 1, 2, 3, 4, 5, 6) {
			end = err
		}
		hung := (*imapclient.HangUpError)(nil)
		if !errors.As(end, &hung) || hung.Suspects.String() != tt.suspects || hung.Next != tt.next || hung.Pending.Len() != 0 || !errors.Is(end, imapclient.ErrUnavailable) {
			t.Errorf("%s: %+v", tt.how, end)
		}
		c.Close()
	}
}
