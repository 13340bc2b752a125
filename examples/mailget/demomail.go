package main

import (
	"fmt"
	"strings"
)

// demoMail is a dozen messages as people and programs send them.
func demoMail() [][]byte {
	var mails [][]byte
	add := func(lines ...string) {
		mails = append(mails, []byte(strings.Join(lines, "\r\n")+"\r\n"))
	}
	head := func(n int, from, subject string, more ...string) []string {
		lines := []string{
			"From: " + from,
			"To: Demo <user@example.com>",
			fmt.Sprintf("Date: Tue, %d Mar 2026 0%d:15:00 +0100", n+1, n%10),
			fmt.Sprintf("Message-ID: <demo-%d@example.com>", n),
		}
		if subject != "" {
			lines = append(lines, "Subject: "+subject)
		}
		return append(append(lines, more...), "")
	}
	add(append(head(1, "Ann Archer <ann@example.com>", "Lunch on Friday?"),
		"Shall we meet at noon?", "", "Ann")...)
	add(append(head(2, "Bob <bob@example.com>", "Re: Lunch on Friday?", "In-Reply-To: <demo-1@example.com>", "References: <demo-1@example.com>"),
		"> Shall we meet at noon?", "Yes.", ".", "..", ". (lines that begin with dots)")...)
	add(append(head(3, "=?utf-8?Q?Z=C3=BCrich_Tourismus?= <news@example.org>", "=?utf-8?B?R3LDvMOfZSBhdXMgWsO8cmljaA==?=",
		"MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: quoted-printable"),
		"Gr=C3=BC=C3=9Fe!")...)
	add(append(head(4, "=?iso-2022-jp?B?GyRCRnxLXBsoQg==?= <jp@example.org>", "=?iso-2022-jp?B?GyRCRnxLXDhsGyhC?=",
		"Content-Type: text/plain; charset=iso-2022-jp"),
		"\x1b$BF|K\\8l\x1b(B")...)
	add(append(head(5, "\"Chess, Club of\" <chess@example.net>", "Pairings of round 5",
		"MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=next"),
		"--next", "Content-Type: text/plain", "", "See the attachment.",
		"--next", "Content-Type: text/csv", "Content-Disposition: attachment; filename=pairings.csv", "", "1,Ann,Bob",
		"--next--")...)
	add(append(head(6, "Shop <orders@example.org>", "Your order 4711",
		"MIME-Version: 1.0", "Content-Type: text/html; charset=utf-8"),
		"<p>Thank <b>you</b>!</p>")...)
	add(append(head(7, "Mail Delivery System <mailer-daemon@example.com>", "Undelivered Mail Returned to Sender",
		"Auto-Submitted: auto-replied"),
		"The address nobody@example.com does not exist.")...)
	add(append(head(8, "J\xfcrgen <juergen@example.com>", "Raw 8-bit letters: \xe4\xf6\xfc", "Content-Type: text/plain; charset=iso-8859-1"),
		"Stra\xdfe")...)
	add(append(head(9, "Camera <camera@example.net>", "Picture of the garden",
		"MIME-Version: 1.0", "Content-Type: image/jpeg", "Content-Transfer-Encoding: base64"),
		strings.TrimSuffix(strings.Repeat("SGVyZSBzaG91bGQgYmUgYSBwaWN0dXJlIG9mIHRoZSBnYXJkZW4uLi4u\r\n", 5000), "\r\n"))...)
	add(append(head(10, "List <list@example.org>", "[list] A subject that is long enough to have\r\n been folded into more than one line of the header", "List-Id: <list.example.org>"),
		"Hello everyone.")...)
	add(head(11, "Empty <empty@example.com>", "No text at all")...)
	add(append(head(12, "no-name@example.com", ""),
		"This one has no subject.")...)
	return mails
}
