package fakemail_test

import (
	"fmt"
	"testing"
)

// What is told of changes by others, and when: EXPUNGE not during FETCH, STORE
// and SEARCH, so that sequence numbers stay. RFC 9051 section 7.5.1.
func TestNews(t *testing.T) {
	m := start(t, 0, nil)
	m.mails(t, 5)
	must := func(err error) {
		if err != nil {
			t.Error(err)
		}
	}
	talk(t, m, of("1", inbox)+of("2", inbox)+`
		do: delete 2
		do: flag 4
		do: deliver
		C1: 1 FETCH 3 UID
		S1: * 3 FETCH (UID 3)
		S1: * 6 EXISTS
		S1: * 6 RECENT
		S1: * 4 FETCH (FLAGS (\Recent \Flagged))
		S1: 1 OK FETCH completed
		C1: 2 FETCH 1:* UID
		S1: * 1 FETCH (UID 1)
		S1: * 3 FETCH (UID 3)
		S1: * 4 FETCH (UID 4)
		S1: * 5 FETCH (UID 5)
		S1: * 6 FETCH (UID 6)
		S1: 2 NO [EXPUNGEISSUED] some of the messages are gone
		C1: 3 SEARCH FLAGGED
		S1: * SEARCH 4
		S1: 3 OK SEARCH completed
		C1: 4 STORE 4 +FLAGS (\Seen)
		S1: * 4 FETCH (FLAGS (\Recent \Flagged \Seen))
		S1: 4 OK STORE completed
		C1: 5 COPY 1:3 INBOX
		S1: * 2 EXPUNGE
		S1: 5 NO [EXPUNGEISSUED] …
		C1: 6 UID FETCH 3 UID
		S1: * 2 FETCH (UID 3)
		S1: 6 OK UID FETCH completed
		C2: 1 UID FETCH 3 UID
		S2: * 3 FETCH (UID 3)
		S2: * 2 EXPUNGE
		S2: * 5 EXISTS
		S2: * 0 RECENT
		S2: * 3 FETCH (FLAGS (\Flagged \Seen))
		S2: 1 OK UID FETCH completed
		do: flag 4
		C2: 2 STORE 3 +FLAGS.SILENT (\Draft)
		S2: * 3 FETCH (FLAGS (\Flagged))
		S2: 2 OK STORE completed
		C1: 7 NOOP
		S1: * 3 FETCH (FLAGS (\Recent \Draft \Flagged))
		S1: 7 OK NOOP completed
		do: deliver
		do: delete 7
		C1: 8 NOOP
		S1: 8 OK NOOP completed
		C2: 3 CHECK
		S2: 3 OK CHECK completed`, map[string]func(){
		"delete 2": func() { must(m.Store.Delete(m.uids[1])) },
		"flag 4":   func() { must(m.SetFlags(m.uids[3], `\Flagged`)) },
		"deliver":  func() { m.mails(t, 1) },
		"delete 7": func() { must(m.Store.Delete(fmt.Sprint("3857529045.", 7))) },
	})
}

// IDLE tells at once, and DONE ends it.
func TestIdle(t *testing.T) {
	m := start(t, 0, nil)
	m.mails(t, 1)
	must := func(err error) {
		if err != nil {
			t.Error(err)
		}
	}
	talk(t, m, of("1", inbox)+of("2", inbox)+`
		do: deliver
		C1: 1 IDLE
		S1: + idling
		S1: * 2 EXISTS
		S1: * 2 RECENT
		do: flag
		S1: * 1 FETCH (FLAGS (\Recent \Seen))
		do: delete
		S1: * 1 EXPUNGE
		C2: 0 NOOP
		S2: * 1 EXPUNGE
		S2: * 1 EXISTS
		S2: * 0 RECENT
		S2: 0 OK NOOP completed
		C2: 1 UID STORE 2 +FLAGS (\Answered)
		S2: * 1 FETCH (UID 2 FLAGS (\Answered))
		S2: 1 OK UID STORE completed
		S1: * 1 FETCH (FLAGS (\Recent \Answered))
		C1: done
		S1: 1 OK IDLE completed
		C1: 2 IDLE
		S1: + idling
		C1: NOOP
		S1: 2 BAD DONE is expected
		C1: 3 IDLE
		S1: + idling
		do: renumber
		S1: * BYE …
		S1: END
		C2: 2 NOOP
		S2: * BYE …
		S2: END`, map[string]func(){
		"deliver":  func() { m.mails(t, 1) },
		"flag":     func() { must(m.SetFlags(m.uids[0], `\Seen`)) },
		"delete":   func() { must(m.Store.Delete(m.uids[0])) },
		"renumber": func() { must(m.Renumber("joe", "INBOX")) },
	})
}
