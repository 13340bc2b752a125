package message_test

import (
	"fmt"
	"io"
	"log"
	"strings"

	"example.com/postbag/message"
)

const example = `From: =?utf-8?q?Ren=C3=A9?= <rene@example.com>
To: joe@example.com
Subject: The report
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/html

<p>Here it is, <a href="https://example.com/">see also</a>.</p>
--b
Content-Type: text/plain; name="../report.txt"
Content-Disposition: attachment
Content-Transfer-Encoding: base64

SXQgaXMgZG9uZS4=
--b--
`

// What people look for in a message.
func Example() {
	m, err := message.Read(strings.NewReader(example), nil)
	if err != nil {
		log.Fatal(err)
	}
	e := m.Envelope()
	fmt.Println(e.From[0], "wrote:", e.Subject)
	for part, err := range m.Attachments() {
		if err != nil {
			log.Fatal(err)
		}
		content, err := io.ReadAll(part)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("attached: %s, %s, %q\n", part.Filename, part.Type, content)
	}
	text, err := m.Text()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(text)
	for _, d := range m.Defects() {
		fmt.Printf("part %s at %d: %s\n", d.Path, d.Offset, d.Kind)
	}

	// Output:
	// René <rene@example.com> wrote: The report
	// attached: report.txt, text/plain, "It is done."
	// Here it is, see also <https://example.com/>.
	// part 2 at 227: unsafe-name
}

// Every part, as a stream.
func ExampleMessage_Parts() {
	m, err := message.Read(strings.NewReader(example), nil)
	if err != nil {
		log.Fatal(err)
	}
	for part, err := range m.Parts() {
		if err != nil {
			log.Fatal(err)
		}
		if part.Container() {
			fmt.Println(part.Path, part.Type)
			continue
		}
		n, err := io.Copy(io.Discard, part)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(part.Path, part.Type, n, "octets")
	}

	// Output:
	// TEXT multipart/mixed
	// 1 text/html 63 octets
	// 2 text/plain 11 octets
}
