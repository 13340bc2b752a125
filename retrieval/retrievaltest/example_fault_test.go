package retrievaltest_test

import (
	"context"
	"errors"
	"fmt"
	"io"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// app is what the examples test: it takes mail home, with postbag.
func app(ctx context.Context, account retrieval.Account, store retrieval.Store) error {
	account.Policy = retrieval.DownloadAndDelete
	print := func(_ context.Context, m *retrieval.Message) error {
		n, err := io.Copy(io.Discard, m)
		if err == nil {
			fmt.Println("the app gets", n, "octets")
		}
		return err
	}
	_, err := retrieval.Run(ctx, account, retrieval.SinkFunc(print), store)
	return err
}

// The line is cut before Commit: what the app has taken is still on the server.
// Does the app take it again?
func ExampleWithFaults() {
	srv, err := retrievaltest.Start(&retrievaltest.ServerOptions{InMemory: true, Security: retrieval.Plaintext})
	if err != nil {
		panic(err)
	}
	defer srv.Close()
	srv.Deliver([]byte("Subject: hello\r\n\r\nHow are you?\r\n"))

	account := srv.Account(retrieval.POP3)
	cut := retrievaltest.Cut(retrievaltest.BeforeCommand("QUIT", 1))
	account.Dial = retrievaltest.WithFaults(account.Dial, cut)

	var store retrieval.Memory
	err = app(context.Background(), account, &store)
	fmt.Println("cut:", cut.Struck() == 1, "- the app knows:", errors.Is(err, retrieval.ErrUncommitted))
	fmt.Println("left on the server:", len(srv.Contents()))

	err = app(context.Background(), account, &store) // connects again: the fault is over
	fmt.Println("again:", err)
	fmt.Println("left on the server:", len(srv.Contents()))
	// Output:
	// the app gets 32 octets
	// cut: true - the app knows: true
	// left on the server: 1
	// again: <nil>
	// left on the server: 0
}

// The server has deleted, and its confirmation is lost.
func ExampleAfterCommand() {
	srv, err := retrievaltest.Start(&retrievaltest.ServerOptions{InMemory: true, Security: retrieval.Plaintext})
	if err != nil {
		panic(err)
	}
	defer srv.Close()
	srv.Deliver([]byte("Subject: hello\r\n\r\nHow are you?\r\n"))

	account := srv.Account(retrieval.IMAP)
	account.Dial = retrievaltest.WithFaults(account.Dial, retrievaltest.Reset(retrievaltest.AfterCommand("UID EXPUNGE", 1)))

	var store retrieval.Memory
	err = app(context.Background(), account, &store)
	fmt.Println("the app knows:", errors.Is(err, retrieval.ErrUncommitted))
	fmt.Println("left on the server:", len(srv.Contents()))
	fmt.Println("again:", app(context.Background(), account, &store))
	// Output:
	// the app gets 32 octets
	// the app knows: true
	// left on the server: 0
	// again: <nil>
}

// A server that is busy says so.
func ExampleAnswer() {
	srv, err := retrievaltest.Start(&retrievaltest.ServerOptions{InMemory: true, Security: retrieval.Plaintext})
	if err != nil {
		panic(err)
	}
	defer srv.Close()

	account := srv.Account(retrieval.POP3)
	account.Dial = retrievaltest.WithFaults(account.Dial, retrievaltest.Answer(retrievaltest.AfterCommand("PASS", 1), "-ERR [IN-USE] another session"))

	err = app(context.Background(), account, new(retrieval.Memory))
	fmt.Println("try later:", errors.Is(err, retrieval.ErrUnavailable))
	fmt.Println("wrong password:", errors.Is(err, retrieval.ErrAuth))
	// Output:
	// try later: true
	// wrong password: false
}
