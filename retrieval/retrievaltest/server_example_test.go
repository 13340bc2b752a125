package retrievaltest_test

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"strings"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// An application's handler is tested against a server in the test's own
// process, over both protocols. In a test [retrievaltest.NewServer] takes the
// place of Start, and closes the server.
func Example() {
	for _, protocol := range []retrieval.Protocol{retrieval.POP3, retrieval.IMAP} {
		srv, err := retrievaltest.Start(&retrievaltest.ServerOptions{InMemory: true})
		if err != nil {
			log.Fatal(err)
		}
		srv.Deliver(
			[]byte("Subject: order 17\r\n\r\nthree apples\r\n"),
			[]byte("Subject: lunch?\r\n\r\nat noon\r\n"),
		)
		shop := new(orders)
		account := srv.Account(protocol)
		account.Policy = retrieval.DownloadAndDelete
		report, err := retrieval.Run(context.Background(), account, retrieval.SinkFunc(shop.handle), new(retrieval.Memory))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %d messages, orders %v, %d left on the server\n", protocol, report.Delivered, shop.numbers, len(srv.Contents()))
		srv.Close()
	}
	// Output:
	// pop3: 2 messages, orders [17], 0 left on the server
	// imap: 2 messages, orders [17], 0 left on the server
}

// orders is the application: it takes orders out of mail.
type orders struct{ numbers []string }

func (o *orders) handle(_ context.Context, m *retrieval.Message) error {
	lines := bufio.NewScanner(m)
	for lines.Scan() && lines.Text() != "" {
		if number, ok := strings.CutPrefix(lines.Text(), "Subject: order "); ok {
			o.numbers = append(o.numbers, number)
		}
	}
	return lines.Err()
}
