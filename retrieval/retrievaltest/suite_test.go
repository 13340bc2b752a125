package retrievaltest_test

import (
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

func TestAdapters(t *testing.T) {
	for _, p := range []retrieval.Protocol{retrieval.POP3, retrieval.IMAP} {
		t.Run(string(p), func(t *testing.T) {
			retrievaltest.TestRetriever(t, func(t *testing.T) retrievaltest.Mailbox {
				return retrievaltest.NewServer(t, p).Mailbox()
			})
		})
	}
}
