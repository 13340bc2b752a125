package retrievaltest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"slices"

	"example.com/postbag/retrieval"
)

func testFetch(f *fixture) {
	f.deliver(sample(40)...)
	all := f.contents()
	r := f.open()
	uids := f.list(r)
	want := make(map[retrieval.UID][]byte)
	var ask []retrieval.UID
	for i, uid := range uids {
		if i%3 != 1 {
			ask = append(ask, uid)
			want[uid] = all[i].Data
		}
	}
	for m, err := range r.Fetch(f.Context(), ask...) {
		if err != nil {
			f.broken("Fetch: %v", err)
		}
		got, err := io.ReadAll(m)
		if err != nil {
			f.broken("reading %s: %v", m.UID, err)
		}
		data, ok := want[m.UID]
		if !ok {
			f.broken("Fetch yields %s, which was not asked for or came before", m.UID)
		}
		if !bytes.Equal(got, data) {
			f.broken("%s: %d octets %.60q…, want %d octets %.60q…", m.UID, len(got), got, len(data), data)
		}
		delete(want, m.UID)
	}
	if len(want) > 0 {
		f.broken("Fetch left out %d messages without an error", len(want))
	}
	for m, err := range r.Fetch(f.Context()) {
		f.broken("Fetch of nothing yields %v, %v", m, err)
	}
}

func testFetchLeavesNoTrace(f *fixture) {
	f.deliver(sample(3)...)
	r := f.open()
	uids := f.list(r)
	for m, err := range r.Fetch(f.Context(), uids...) {
		if err != nil {
			f.broken("Fetch: %v", err)
		}
		io.Copy(io.Discard, m)
	}
	for _, err := range r.Headers(f.Context(), uids...) {
		if err != nil {
			f.broken("Headers: %v", err)
		}
	}
	r.Close()
	for _, m := range f.contents() {
		if len(m.Flags) > 0 {
			f.broken("%s has the flags %q after Fetch and Headers", m.UID, m.Flags)
		}
	}
}

func testHeaders(f *fixture) {
	f.deliver(sample(10)...)
	want := make(map[retrieval.UID][]byte)
	for _, m := range f.contents() {
		want[m.UID] = m.Data[:bytes.Index(m.Data, []byte("\r\n\r\n"))+4]
	}
	r := f.open()
	for m, err := range r.Headers(f.Context(), f.list(r)...) {
		if err != nil {
			f.broken("Headers: %v", err)
		}
		got, err := io.ReadAll(m)
		if err != nil || !bytes.Equal(got, want[m.UID]) {
			f.broken("%s: %q, %v, want %q", m.UID, got, err, want[m.UID])
		}
		delete(want, m.UID)
	}
	if len(want) > 0 {
		f.broken("Headers left out %d messages without an error", len(want))
	}
}

func testFetchGone(f *fixture) { testGone(f, retrieval.Retriever.Fetch) }

func testHeadersGone(f *fixture) { testGone(f, retrieval.Retriever.Headers) }

// testGone asks for a message that is not there, among others.
func testGone(f *fixture, get func(r retrieval.Retriever, ctx context.Context, uids ...retrieval.UID) iter.Seq2[*retrieval.Message, error]) {
	f.deliver(sample(5)...)
	r := f.open()
	uids := f.list(r)
	ask := slices.Insert(slices.Clone(uids), 2, "4294967295.no-such-uid")
	var got, gone int
	for m, err := range get(r, f.Context(), ask...) {
		if err == nil {
			io.Copy(io.Discard, m)
			got++
			continue
		}
		var me *retrieval.MessageError
		if !errors.As(err, &me) || me.UID != ask[2] || !errors.Is(err, retrieval.ErrGone) || errors.Is(err, retrieval.ErrSession) {
			f.broken("error %v, want a MessageError about %s that is ErrGone and not ErrSession", err, ask[2])
		}
		gone++
	}
	if got != 5 || gone != 1 {
		f.broken("%d messages and %d errors, want 5 and 1", got, gone)
	}
}

func testVanished(f *fixture) {
	f.deliver(sample(5)...)
	all := f.contents()
	r := f.open()
	uids := f.list(r)
	if err := f.box.Delete(uids[2]); err != nil {
		f.Fatal(err)
	}
	seen := 0
	for m, err := range r.Fetch(f.Context(), uids...) {
		seen++
		if err != nil {
			var me *retrieval.MessageError
			if !errors.As(err, &me) || me.UID != uids[2] || !errors.Is(err, retrieval.ErrGone) {
				f.broken("%v, want a MessageError about %s that is ErrGone", err, uids[2])
			}
			continue
		}
		i := slices.IndexFunc(all, func(a Message) bool { return a.UID == m.UID })
		if got, err := io.ReadAll(m); err != nil || !bytes.Equal(got, all[i].Data) {
			f.broken("%s: %d octets, %v, want %d", m.UID, len(got), err, len(all[i].Data))
		}
	}
	if seen != 5 {
		f.broken("%d messages and errors, want 5", seen)
	}
}

func testBreak(f *fixture) {
	f.deliver(sample(30)...)
	all := f.contents()
	r := f.open()
	uids := f.list(r)
	for _, read := range []bool{true, false} {
		n := 0
		for m, err := range r.Fetch(f.Context(), uids...) {
			if err != nil {
				f.broken("Fetch: %v", err)
			}
			if read {
				io.CopyN(io.Discard, m, 10)
			}
			if n++; n == 4 {
				break
			}
		}
	}
	for m, err := range r.Fetch(f.Context(), uids[7]) {
		if err != nil {
			f.broken("Fetch after break: %v", err)
		}
		if got, err := io.ReadAll(m); err != nil || !bytes.Equal(got, all[7].Data) {
			f.broken("after break: %d octets, %v, want %d", len(got), err, len(all[7].Data))
		}
	}
}

func testUnread(f *fixture) {
	f.deliver(sample(16)...)
	all := f.contents()
	r := f.open()
	i := 0
	for m, err := range r.Fetch(f.Context(), f.list(r)...) {
		if err != nil {
			f.broken("Fetch: %v", err)
		}
		j := slices.IndexFunc(all, func(a Message) bool { return a.UID == m.UID })
		switch i++; i % 3 {
		case 0: // not at all
		case 1:
			io.CopyN(io.Discard, m, 5)
		case 2:
			if got, err := io.ReadAll(m); err != nil || !bytes.Equal(got, all[j].Data) {
				f.broken("%s: %d octets, %v, want %d", m.UID, len(got), err, len(all[j].Data))
			}
		}
	}
	if i != len(all) {
		f.broken("%d messages, want %d", i, len(all))
	}
}
