package imapclient_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"example.com/postbag/imapclient"
)

// listedThrough is what [imapclient.SummariesThrough] tells.
type listedThrough struct {
	got    map[uint32]int
	failed []uint32
	gone   []uint32
	end    error
}

// listThrough lists a set from a server that hangs up.
func (h *hanging) listThrough(t *testing.T, list func(ctx context.Context, c *imapclient.Client, redial func(context.Context) (*imapclient.Client, error), each func(uint32, error))) (l listedThrough) {
	t.Helper()
	c, err := h.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	last := c
	redial := func(ctx context.Context) (_ *imapclient.Client, err error) {
		last, err = h.dial(ctx)
		return last, err
	}
	l.got = make(map[uint32]int)
	list(t.Context(), c, redial, func(uid uint32, err error) {
		one, hung := (*imapclient.MessageError)(nil), (*imapclient.HangUpError)(nil)
		switch {
		case err == nil:
			l.got[uid]++
		case errors.As(err, &one) && errors.As(err, &hung):
			l.failed = append(l.failed, one.UID)
		case errors.As(err, &one) && errors.Is(err, imapclient.ErrGone):
			l.gone = append(l.gone, one.UID)
		case l.end != nil:
			t.Errorf("%v, after %v", err, l.end)
		default:
			l.end = err
		}
	})
	slices.Sort(l.failed)
	for uid, n := range l.got {
		if n != 1 {
			t.Errorf("message %d came %d times", uid, n)
		}
	}
	if err := last.Close(); err != nil {
		t.Error(err)
	}
	return l
}

func summariesOf(set imapclient.Set) func(context.Context, *imapclient.Client, func(context.Context) (*imapclient.Client, error), func(uint32, error)) {
	return func(ctx context.Context, c *imapclient.Client, redial func(context.Context) (*imapclient.Client, error), each func(uint32, error)) {
		for sum, err := range imapclient.SummariesThrough(ctx, c, redial, set) {
			if err == nil && (sum.Size != 4 || len(sum.Flags) != 1) {
				err = fmt.Errorf("%+v", sum)
			}
			each(sum.UID, err)
		}
	}
}

// A listing that kills the server at some message is complete but for it.
func TestSummariesThrough(t *testing.T) {
	for _, tt := range []struct {
		name     string
		bad      map[uint32]string
		gaps     bool
		set      imapclient.Set
		want     []uint32 // that cannot be had
		sessions int      // at most
	}{
		{"none", nil, false, imapclient.All(), nil, 1},
		{"before it", map[uint32]string{700: "before"}, false, imapclient.All(), []uint32{700}, 4},
		{"within it", map[uint32]string{700: "within"}, false, imapclient.All(), []uint32{700}, 4},
		{"before anything", map[uint32]string{700: "all"}, false, imapclient.All(), []uint32{700}, 16},
		{"the first and the last", map[uint32]string{1: "before", hangingMessages: "within"}, false, imapclient.All(), []uint32{1, hangingMessages}, 18},
		{"neighbours", map[uint32]string{1200: "before", 1201: "all", 1202: "within"}, false, imapclient.All(), []uint32{1200, 1201, 1202}, 26},
		{"by chance", map[uint32]string{5: "once", 6: "once", 2000: "once"}, false, imapclient.All(), nil, 4},
		{"UIDs with gaps", map[uint32]string{699: "before", 1500: "all"}, true, imapclient.All(), []uint32{699, 1500}, 20},
		{"a range", map[uint32]string{699: "before", 1500: "all"}, true, imapclient.Range(300, 1800), []uint32{699, 1500}, 16},
		{"the only one of a range", map[uint32]string{699: "all"}, true, imapclient.Range(698, 700), []uint32{699}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := &hanging{validity: 7, bad: tt.bad, gaps: tt.gaps}
			all := len(slices.DeleteFunc(h.there("1:*"), func(uid uint32) bool { return !tt.set.Has(uid) }))
			l := h.listThrough(t, summariesOf(tt.set))
			if l.end != nil || !slices.Equal(l.failed, tt.want) || len(l.got) != all-len(tt.want) || h.sessions > tt.sessions || h.searched > 1 {
				t.Errorf("%d messages of %d, without %d, in %d sessions with %d searches: %v", len(l.got), all, l.failed, h.sessions, h.searched, l.end)
			}
		})
	}
}

// What goes between the sessions is no message that is missing, and what is
// passed over in silence is.
func TestSummariesThroughSilence(t *testing.T) {
	for _, tt := range []struct {
		name string
		h    hanging
		ok   bool
	}{
		{"a message goes", hanging{bad: map[uint32]string{700: "before"}, expunge: map[int][]uint32{2: {3, 900}}}, true},
		{"a message goes later", hanging{bad: map[uint32]string{700: "before"}, expunge: map[int][]uint32{3: {3, 900}}}, true},
		{"the bad one goes", hanging{bad: map[uint32]string{700: "before"}, expunge: map[int][]uint32{3: {700}}}, true},
		{"nothing is said of one", hanging{bad: map[uint32]string{700: "before"}, mute: map[uint32]bool{900: true}}, false},
		{"not all are found", hanging{bad: map[uint32]string{700: "before"}, found: "SEARCH 1 2 3 700"}, false},
		{"too many are found", hanging{bad: map[uint32]string{700: "before"}, found: "ESEARCH TAG UID ALL 1:4294967295"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.h.validity = 7
			l := tt.h.listThrough(t, summariesOf(imapclient.All()))
			if (l.end == nil) != tt.ok || !tt.ok && !errors.Is(l.end, imapclient.ErrProtocol) {
				t.Errorf("%d messages, without %d: %v", len(l.got), l.failed, l.end)
			}
		})
	}
}

// Of a set of UIDs, each is told of.
func TestFetchThroughGone(t *testing.T) {
	h := &hanging{validity: 7, bad: map[uint32]string{9: "before"}, gaps: true, expunge: map[int][]uint32{3: {12}}}
	l := h.listThrough(t, func(ctx context.Context, c *imapclient.Client, redial func(context.Context) (*imapclient.Client, error), each func(uint32, error)) {
		for info, err := range imapclient.FetchThrough(ctx, c, redial, imapclient.Range(5, 13), imapclient.Items{Flags: true, Size: true, Gone: true}) {
			each(info.UID, err)
		}
	})
	slices.Sort(l.gone)
	if l.end != nil || len(l.got) != 1 || l.got[6] != 1 || !slices.Equal(l.failed, []uint32{9}) || !slices.Equal(l.gone, []uint32{5, 7, 8, 10, 11, 12, 13}) {
		t.Errorf("%+v", l)
	}
}

// Going on has its ends.
func TestFetchThroughEnds(t *testing.T) {
	always := make(map[uint32]string)
	for uid := uint32(1); uid <= hangingMessages; uid++ {
		always[uid] = "before"
	}
	down := errors.New("down")
	for _, tt := range []struct {
		name     string
		bad      map[uint32]string
		validity int
		redial   error
		leave    int // after so many
		sessions int
	}{
		{"a server that always hangs up", always, 7, nil, 0, 29},
		{"a server that asks for patience", map[uint32]string{50: "throttled"}, 7, nil, 0, 1},
		{"another UIDVALIDITY", map[uint32]string{50: "before"}, 8, nil, 0, 2},
		{"no other session", map[uint32]string{50: "before"}, 7, down, 0, 1},
		{"the loop is left before", map[uint32]string{50: "before"}, 7, nil, 3, 1},
		{"the loop is left after", map[uint32]string{50: "before"}, 7, nil, 51, 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := &hanging{validity: 7, bad: tt.bad}
			var sessions, n int
			l := h.listThrough(t, func(ctx context.Context, c *imapclient.Client, redial func(context.Context) (*imapclient.Client, error), each func(uint32, error)) {
				h.validity = tt.validity
				for info, err := range imapclient.FetchThrough(ctx, c, func(ctx context.Context) (*imapclient.Client, error) {
					if tt.redial != nil {
						return nil, tt.redial
					}
					return redial(ctx)
				}, imapclient.All(), imapclient.Items{Flags: true, Size: true}) {
					each(info.UID, err)
					if n++; n == tt.leave {
						break
					}
				}
				sessions = h.sessions
			})
			if tt.leave > 0 {
				if n != tt.leave || l.end != nil || sessions != tt.sessions {
					t.Errorf("%d, %v, after %d sessions", n, l.end, sessions)
				}
				return
			}
			if l.end == nil || tt.redial != nil && !errors.Is(l.end, tt.redial) || sessions != tt.sessions {
				t.Errorf("%v, after %d sessions", l.end, sessions)
			}
		})
	}
}

// A session that ends says what had not been told.
func TestFetchHangUp(t *testing.T) {
	for _, tt := range []struct {
		how, suspects string
		next          uint32
		likely        string
	}{{"before", "3:9", 3, "3"}, {"within", "3:9", 3, "3"}, {"all", "1:9", 1, "1:9"}} {
		h := &hanging{validity: 7, bad: map[uint32]string{3: tt.how}}
		c, err := h.dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var end error
		for _, err := range c.Summaries(t.Context(), imapclient.Range(1, 9)) {
			end = err
		}
		hung := (*imapclient.HangUpError)(nil)
		if !errors.As(end, &hung) || hung.Suspects.String() != tt.suspects || hung.Next != tt.next || hung.Likely().String() != tt.likely || !errors.Is(end, imapclient.ErrUnavailable) {
			t.Errorf("%s: %+v", tt.how, end)
		}
		c.Close()
	}
	h := &hanging{validity: 7}
	c, err := h.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithCancel(t.Context())
	for _, err := range c.Summaries(ctx, imapclient.All()) {
		if hung := (*imapclient.HangUpError)(nil); errors.As(err, &hung) {
			t.Errorf("this side has ended it: %v", err)
		}
		cancel()
	}
	cancel()
}
