package pop3client_test

import (
	"context"
	"fmt"
	"io"
	"log"

	"example.com/postbag/internal/pop3server"
	"example.com/postbag/pop3client"
)

// Retrieve every message, and delete those that arrived whole.
func Example() {
	srv, err := pop3server.Start(&pop3server.Options{User: "joe", Password: "secret"})
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	srv.Deliver([]byte("Subject: first\r\n\r\nHello.\r\n"))
	srv.Deliver([]byte("Subject: second\r\n\r\n.\r\n"))

	ctx := context.Background()
	c, err := pop3client.DialPlaintext(ctx, srv.Addr(), nil) // a real server: Dial
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	if err := c.Login(ctx, "joe", "secret"); err != nil {
		log.Fatal(err)
	}
	list, err := c.Listing(ctx)
	if err != nil {
		log.Fatal(err)
	}
	var done []int
	for body, err := range c.RetrEach(ctx, list...) {
		if err != nil {
			log.Print(err)
			continue
		}
		n, err := io.Copy(io.Discard, body) // into a file, say
		if err != nil {
			log.Print(err)
			continue
		}
		fmt.Printf("message %d: %d octets\n", body.Number(), n)
		done = append(done, body.Number())
	}
	receipt, err := c.Commit(ctx, done...)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("deleted:", receipt.Deleted)
	// Output:
	// message 1: 26 octets
	// message 2: 22 octets
	// deleted: [1 2]
}
