package imapclient_test

import (
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"example.com/postbag/imapclient"
)

func TestAppend(t *testing.T) {
	const text = "Subject: x\r\n\r\nA1 OK\r\n"
	literal := "C64: " + b64text(text)
	received := time.Date(2026, 2, 3, 4, 5, 6, 0, time.FixedZone("", -7*3600))
	for _, tt := range []struct {
		name, extensions string
		o                *imapclient.AppendOptions
		script           []string
		want             imapclient.Appended
	}{
		{"waiting for the server", "", nil, []string{`C: a1 APPEND "Sent" {21}`, "S: * 1 EXISTS", "S: + go", literal, "C: ", "S: a1 OK [APPENDUID 38505 3955] done"}, imapclient.Appended{UIDValidity: 38505, UID: 3955}},
		{"an empty continuation", "", nil, []string{`C: a1 APPEND "Sent" {21}`, "S: +", literal, "C: ", "S: a1 OK done"}, imapclient.Appended{}},
		{"LITERAL+, with flags and date", "LITERAL+", &imapclient.AppendOptions{Flags: []string{`\Seen`, "$Junk"}, Received: received},
			[]string{`C: a1 APPEND "Sent" (\Seen $Junk) " 3-Feb-2026 04:05:06 -0700" {21+}`, literal, "C: ", "S: a1 OK done"}, imapclient.Appended{}},
		{"LITERAL-", "LITERAL-", &imapclient.AppendOptions{}, []string{`C: a1 APPEND "Sent" {21+}`, literal, "C: ", "S: a1 OK done"}, imapclient.Appended{}},
		{"within the limit", "APPENDLIMIT=21", nil, []string{`C: a1 APPEND "Sent" {21}`, "S: + go", literal, "C: ", "S: a1 OK [appenduid 1 2]"}, imapclient.Appended{UIDValidity: 1, UID: 2}},
		{"codes that are none", "", nil, []string{`C: a1 APPEND "Sent" {21}`, "S: + go", literal, "C: ", "S: a1 OK [APPENDUID 0 3955] done"}, imapclient.Appended{}},
		{"a code with a set", "", nil, []string{`C: a1 APPEND "Sent" {21}`, "S: + go", literal, "C: ", "S: a1 OK [APPENDUID 5 3955:3957] done"}, imapclient.Appended{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := authed(t, tt.extensions, lines(append(tt.script, "C: b1 NOOP", "S: b1 OK")...))
			at, err := c.Append(t.Context(), "Sent", iotest.OneByteReader(strings.NewReader(text)), 21, tt.o)
			if err != nil || at != tt.want {
				t.Errorf("Append = %+v, %v, want %+v", at, err, tt.want)
			}
			_, err = c.Noop(t.Context())
			wants(t, "Noop", err, nil)
		})
	}
}

// A large message waits for the server's word, whatever literals it takes.
func TestAppendLarge(t *testing.T) {
	for _, extensions := range []string{"", "LITERAL-", "LITERAL+"} {
		large := strings.Repeat("x", 70<<10)
		c := authed(t, extensions, lines(`C: a1 APPEND "Sent" {71680}`, "S: + go", "C64: "+b64text(large), "C: ", "S: a1 OK"))
		_, err := c.Append(t.Context(), "Sent", strings.NewReader(large), int64(len(large)), nil)
		wants(t, "Append", err, nil)
	}
	medium := strings.Repeat("x", 4097)
	c := authed(t, "LITERAL-", lines(`C: a1 APPEND "Sent" {4097}`, "S: + go", "C64: "+b64text(medium), "C: ", "S: a1 OK"))
	_, err := c.Append(t.Context(), "Sent", strings.NewReader(medium), int64(len(medium)), nil)
	wants(t, "Append", err, nil)
}

// A message that the server refuses is not sent, and the session goes on.
func TestAppendRefused(t *testing.T) {
	for _, tt := range []struct {
		answer string
		want   error
	}{
		{"S: a1 NO [TRYCREATE] no such mailbox", imapclient.ErrNoMailbox},
		{"S: a1 NO [TOOBIG] too large", imapclient.ErrTooLarge},
		{"S: a1 NO [UNAVAILABLE] later", imapclient.ErrUnavailable},
	} {
		c := authed(t, "", lines(`C: a1 APPEND "Sent" {5}`, tt.answer, "C: a2 NOOP", "S: a2 OK"))
		_, err := c.Append(t.Context(), "Sent", strings.NewReader("never"), 5, nil)
		wants(t, tt.answer, err, tt.want)
		_, err = c.Noop(t.Context())
		wants(t, "Noop", err, nil)
	}
}

func TestAppendBadArguments(t *testing.T) {
	c := authed(t, "APPENDLIMIT=100", "")
	before := c.Stats().Out
	src := iotest.ErrReader(errors.New("it is read"))
	_, err := c.Append(t.Context(), "Sent", src, 101, nil)
	wants(t, "a message above the limit", err, imapclient.ErrTooLarge)
	for name, try := range map[string]struct {
		size int64
		o    imapclient.AppendOptions
	}{
		"no octets":       {0, imapclient.AppendOptions{}},
		"less than none":  {-1, imapclient.AppendOptions{}},
		"flag":            {5, imapclient.AppendOptions{Flags: []string{"a b"}}},
		"flag with CR LF": {5, imapclient.AppendOptions{Flags: []string{"a\r\nb"}}},
		"wildcard":        {5, imapclient.AppendOptions{Flags: []string{`\*`}}},
		"year":            {5, imapclient.AppendOptions{Received: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}},
	} {
		if _, err := c.Append(t.Context(), "Sent", src, try.size, &try.o); err == nil || strings.Contains(err.Error(), "read") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if c.Stats().Out != before || c.Err() != nil {
		t.Errorf("something was written; %v", c.Err())
	}
	c = authed(t, "", "")
	_, err = c.Append(t.Context(), "Sent", src, 1<<32, nil)
	wants(t, "a message beyond IMAP4rev1's numbers", err, imapclient.ErrTooLarge)
}

// A source that does not hold what it should ends the session: the server must
// not take what follows for the message, or a part of it for the whole.
func TestAppendBadSource(t *testing.T) {
	broken := errors.New("disk on fire")
	for _, tt := range []struct {
		name string
		src  io.Reader
		want error
	}{
		{"short", strings.NewReader("abc"), io.ErrUnexpectedEOF},
		{"empty", strings.NewReader(""), io.ErrUnexpectedEOF},
		{"failing", io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(broken)), broken},
		{"long", strings.NewReader("abcdefg"), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := authed(t, "LITERAL+", lines(`C: a1 APPEND "Sent" {5+}`))
			_, err := c.Append(t.Context(), "Sent", tt.src, 5, nil)
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) || c.Err() == nil {
				t.Errorf("Append = %v, want %v; the session: %v", err, tt.want, c.Err())
			}
		})
	}
}

// The server may say no while the message is on its way.
func TestAppendRefusedLate(t *testing.T) {
	c := authed(t, "LITERAL+", lines(`C: a1 APPEND "Sent" {5+}`, "S: a1 NO [OVERQUOTA] full", "C64: "+b64text("hello"), "C: ", "C: a2 NOOP", "S: a2 OK"))
	_, err := c.Append(t.Context(), "Sent", strings.NewReader("hello"), 5, nil)
	if e := (*imapclient.Error)(nil); !errors.As(err, &e) || e.Code != "OVERQUOTA" {
		t.Errorf("Append = %v", err)
	}
	_, err = c.Noop(t.Context())
	wants(t, "Noop", err, nil)
}

// A message passes through memory in pieces.
func TestAppendMemory(t *testing.T) {
	const size = 256 << 20
	server := &counting{octets: octets{strings.NewReader("* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n+ go\r\nA1 OK\r\n")}}
	c, err := imapclient.New(t.Context(), server, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = c.Append(t.Context(), "Sent", io.LimitReader(zero('x'), size), size, nil)
	runtime.ReadMemStats(&after)
	wants(t, "Append", err, nil)
	if server.n < size {
		t.Errorf("the server has %d octets", server.n)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
		t.Errorf("%d octets of memory for a message of %d", grown, size)
	}
}

// counting counts what it is sent.
type counting struct {
	octets
	n int
}

func (c *counting) Write(p []byte) (int, error) {
	c.n += len(p)
	return len(p), nil
}

// zero is an endless source of one octet.
type zero byte

func (z zero) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(z)
	}
	return len(p), nil
}

// A server that neither agrees nor refuses is given up.
func TestAppendSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := authed(t, "", lines(`C: a1 APPEND "Sent" {5}`, "~ 2m"))
		_, err := c.Append(t.Context(), "Sent", strings.NewReader("hello"), 5, nil)
		wants(t, "Append", err, imapclient.ErrUnavailable)
		c.Close()
	})
}
