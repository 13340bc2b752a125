// Command bouncer reads bounces and prints the addresses that cannot be
// reached, one a line. It takes the mail of a mailbox that gets nothing else:
//
//	MAIL_PASSWORD=… bouncer pop3s://bounces@mail.example.com bounces.ledger
//
// Its tests are the point: they are written with retrievaltest alone.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"mime"
	"mime/multipart"
	"net/mail"
	"net/textproto"
	"os"
	"strings"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: bouncer URL LEDGER")
	}
	account, err := retrieval.ParseURL(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	account.Password = func(context.Context) (string, error) { return os.Getenv("MAIL_PASSWORD"), nil }
	ledger, err := disk.OpenLedger(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	defer ledger.Close()
	mark := func(address string) error { _, err := fmt.Println(address); return err }
	if err := readBounces(context.Background(), account, ledger, mark); err != nil {
		log.Fatal(err)
	}
}

// readBounces marks every address that a message says has failed for good,
// and deletes what it has read. An address may be marked again after a crash.
func readBounces(ctx context.Context, account retrieval.Account, store retrieval.Store, mark func(address string) error) error {
	account.Policy = retrieval.DownloadAndDelete
	sink := retrieval.SinkFunc(func(_ context.Context, m *retrieval.Message) error {
		data, err := io.ReadAll(io.LimitReader(m, 1<<20)) // a report is short
		if err != nil {
			return err
		}
		for _, address := range failed(data) {
			if err := mark(address); err != nil {
				return err
			}
		}
		return nil
	})
	_, err := retrieval.Run(ctx, account, sink, store)
	return err
}

// failed returns the recipients of a delivery status notification (RFC 3464)
// that cannot be reached, or nothing if the message is none.
func failed(msg []byte) (addresses []string) {
	m, err := mail.ReadMessage(bytes.NewReader(msg))
	if err != nil {
		return nil
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/report" {
		return nil
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for part, err := parts.NextPart(); err == nil; part, err = parts.NextPart() {
		if !strings.HasPrefix(part.Header.Get("Content-Type"), "message/delivery-status") {
			continue
		}
		text, _ := io.ReadAll(part)
		for _, group := range strings.Split(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n\n") {
			h := fields(group)
			if _, address, ok := strings.Cut(h.Get("Final-Recipient"), ";"); ok && strings.EqualFold(h.Get("Action"), "failed") {
				addresses = append(addresses, strings.TrimSpace(address))
			}
		}
	}
	return addresses
}

func fields(group string) textproto.MIMEHeader {
	h, _ := mail.ReadMessage(strings.NewReader(strings.TrimSpace(group) + "\n\n"))
	if h == nil {
		return nil
	}
	return textproto.MIMEHeader(h.Header)
}
