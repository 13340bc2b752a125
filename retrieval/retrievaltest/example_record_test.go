package retrievaltest_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// A session is recorded, as from a user's server. TestReport below it is the
// test that is made of such a recording.
func ExampleRecord() {
	srv, err := retrievaltest.Start(&retrievaltest.ServerOptions{InMemory: true})
	if err != nil {
		panic(err)
	}
	defer srv.Close()
	srv.Deliver([]byte("Subject: private\r\n\r\nHow are you?\r\n"))

	var recording bytes.Buffer
	account, stop, err := retrievaltest.Record(srv.Account(retrieval.POP3), &recording, &retrievaltest.RecordOptions{Mask: true})
	if err != nil {
		panic(err)
	}
	err = app(context.Background(), account, new(retrieval.Memory))
	stop()
	fmt.Println("error:", err)
	for line := range strings.Lines(recording.String()) {
		if strings.HasPrefix(line, "C: ") || strings.Contains(line, "xxx") {
			fmt.Print(line)
		}
	}
	// Output:
	// the app gets 34 octets
	// error: <nil>
	// C: CAPA
	// C: USER ***
	// C: PASS ***
	// C: CAPA
	// C: STAT
	// C: LIST
	// C: UIDL
	// C: RETR 1
	// S: xxxxxxx: xxxxxxx
	// S: xxx xxx xxx?
	// C: DELE 1
	// C: QUIT
}

// report is a recording that a user has sent: in real life a file in testdata.
const report = `= TLS
S: +OK ready
C: CAPA
S: -ERR what?
C: USER joe
S: +OK
C: PASS ***
S: -ERR [LOGIN-DELAY] come back in a minute
`

// What does the app do when the server wants it to come back later?
func TestReport(t *testing.T) {
	account := retrievaltest.ReplayBytes(t, "report.txt", []byte(report))
	err := app(t.Context(), account, new(retrieval.Memory))
	if !strings.Contains(fmt.Sprint(err), "come back in a minute") {
		t.Errorf("the app does not tell why: %v", err)
	}
}
