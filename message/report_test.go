package message_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"example.com/postbag/message"
)

func TestDeliveryStatus(t *testing.T) {
	m := parse(t, `Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b

It did not arrive.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com
Arrival-Date: Tue, 31 Mar 2026 17:05:09 +0200

Original-Recipient: rfc822;joe@example.com
Final-Recipient: RFC822; <joe@example.net>
Action: FAILED (at last)
Status: 5.1.1 (no such user)
Remote-MTA: dns; mail.example.net
Diagnostic-Code: smtp; 550 5.1.1
 no such user; really
Last-Attempt-Date: Tue, 31 Mar 2026 17:06:00 +0200


Final-Recipient: rfc822; jim@example.com
Action: delayed
Status: 4.4.1
Will-Retry-Until: Wed, 1 Apr 2026 17:05:09 +0200
--b--
`)
	for p, err := range m.Parts() {
		if err != nil {
			t.Fatal(err)
		}
		if p.Type != "message/delivery-status" {
			continue
		}
		s, err := p.DeliveryStatus()
		if err != nil {
			t.Fatal(err)
		}
		if s.Reporting != "mx.example.com" || s.ArrivalDate.Unix() != time.Date(2026, 3, 31, 15, 5, 9, 0, time.UTC).Unix() || len(s.Recipients) != 2 {
			t.Fatalf("%+v", s)
		}
		want := message.RecipientStatus{
			Original: "joe@example.com", Final: "joe@example.net", Action: "failed", Status: "5.1.1",
			Remote: "mail.example.net", Diagnostic: "550 5.1.1 no such user; really", LastAttempt: s.Recipients[0].LastAttempt,
		}
		if s.Recipients[0] != want || !s.Recipients[0].Failed() || want.LastAttempt.IsZero() {
			t.Errorf("%+v, want %+v", s.Recipients[0], want)
		}
		if r := s.Recipients[1]; r.Failed() || r.RetryUntil.IsZero() || r.Status != "4.4.1" {
			t.Errorf("%+v", r)
		}
	}
	if got := kinds(m); len(got) > 0 {
		t.Errorf("defects %v", got)
	}
}

func TestDispositionNotification(t *testing.T) {
	m := parse(t, `Content-Type: message/disposition-notification

Reporting-UA: mua.example.com; Postbag
Original-Recipient: rfc822;joe@example.com
Final-Recipient: rfc822;joe@example.com
Original-Message-ID: <1@example.com>
Disposition: manual-action/MDN-sent-manually; Displayed/error, warning
Error: none
`)
	for p, err := range m.Parts() {
		if err != nil {
			t.Fatal(err)
		}
		n, err := p.DispositionNotification()
		if err != nil {
			t.Fatal(err)
		}
		if n.Disposition != "displayed" || n.Mode != "manual-action/MDN-sent-manually" || n.MessageID != "1@example.com" || n.Final != "joe@example.com" || !slices.Equal(n.Modifiers, []string{"error", "warning"}) {
			t.Errorf("%+v", n)
		}
	}
}

// Bounces of 70 mail servers, collected by sisimai: what their reports say.
func TestDeliveryStatusCorpus(t *testing.T) {
	reports, recipients, failed, bad := 0, 0, 0, 0
	corpus(t, func(name string, data []byte) {
		m, err := message.Read(bytes.NewReader(data), nil)
		if err != nil {
			t.Fatal(err)
		}
		for p, err := range m.Parts() {
			if err != nil {
				t.Fatal(err)
			}
			if p.Type != "message/delivery-status" {
				continue
			}
			s, err := p.DeliveryStatus()
			if err != nil {
				t.Fatal(err)
			}
			reports++
			if len(s.Recipients) == 0 {
				bad++
			}
			for _, r := range s.Recipients {
				recipients++
				if r.Failed() {
					failed++
				}
				if r.Final+r.Original == "" {
					t.Logf("%s: a recipient without an address: %+v", name, r)
				}
			}
		}
	})
	t.Logf("%d reports on %d recipients, %d failed; %d reports name none", reports, recipients, failed, bad)
	if bad*20 > reports {
		t.Errorf("%d of %d reports could not be read", bad, reports)
	}
}
