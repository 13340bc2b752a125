package message

import (
	"strconv"
	"strings"
	"time"
)

// DeliveryStatus is what became of a message: the content of a part of the
// type message/delivery-status. RFC 3464. What is missing is empty.
type DeliveryStatus struct {
	EnvelopeID  string // original-envelope-id
	Reporting   string // the server that reports: Reporting-MTA without its type
	DSNGateway  string
	Received    string // the server that the message came from
	ArrivalDate time.Time
	Recipients  []RecipientStatus
}

// RecipientStatus is what became of a message for one recipient. RFC 3464
// section 2.3.
type RecipientStatus struct {
	Original    string // the address that the sender wrote to; may be empty
	Final       string // the address that it came to
	Action      string // failed, delayed, delivered, relayed or expanded
	Status      string // like 5.1.1, RFC 3463
	Remote      string // the server that said so
	Diagnostic  string // what it said
	LastAttempt time.Time
	LogID       string
	RetryUntil  time.Time
}

// Failed tells whether the message was given up.
func (r *RecipientStatus) Failed() bool {
	return r.Action == "failed" || r.Action == "" && strings.HasPrefix(r.Status, "5.")
}

// DeliveryStatus reads the content of the part as a delivery status, as far as
// it is one. The error is one of reading.
func (p *Part) DeliveryStatus() (*DeliveryStatus, error) {
	blocks, err := p.blocks()
	if err != nil {
		return nil, err
	}
	s := new(DeliveryStatus)
	for i, h := range blocks {
		if i == 0 || h.Get("Reporting-MTA") != "" && s.Reporting == "" {
			s.EnvelopeID = h.Text("Original-Envelope-Id")
			s.Reporting = h.typed("Reporting-MTA")
			s.DSNGateway = h.typed("DSN-Gateway")
			s.Received = h.typed("Received-From-MTA")
			s.ArrivalDate = parseDate(h.Get("Arrival-Date"))
		}
		if h.Get("Final-Recipient")+h.Get("Original-Recipient")+h.Get("Action")+h.Get("Status") == "" {
			continue
		}
		s.Recipients = append(s.Recipients, RecipientStatus{
			Original:    h.address("Original-Recipient"),
			Final:       h.address("Final-Recipient"),
			Action:      strings.ToLower(firstWord(h.Text("Action"))),
			Status:      statusCode(h.Text("Status")),
			Remote:      h.typed("Remote-MTA"),
			Diagnostic:  h.typed("Diagnostic-Code"),
			LastAttempt: parseDate(h.Get("Last-Attempt-Date")),
			LogID:       h.Text("Final-Log-Id"),
			RetryUntil:  parseDate(h.Get("Will-Retry-Until")),
		})
	}
	if len(s.Recipients) == 0 {
		p.defect(BadReport)
	}
	return s, nil
}

// DispositionNotification is what a recipient did with a message: the content
// of a part of the type message/disposition-notification. RFC 8098. What is
// missing is empty.
type DispositionNotification struct {
	ReportingUA string // the program, and where it runs
	Gateway     string
	Original    string // the address that the sender wrote to
	Final       string // the address that it came to
	MessageID   string // of the message, without angle brackets
	Mode        string // like manual-action/MDN-sent-manually
	Disposition string // displayed, deleted, dispatched or processed
	Modifiers   []string
	Failure     string
	Error       string
	Warning     string
}

// DispositionNotification reads the content of the part as a disposition
// notification, as far as it is one. The error is one of reading.
func (p *Part) DispositionNotification() (*DispositionNotification, error) {
	blocks, err := p.blocks()
	if err != nil {
		return nil, err
	}
	n := new(DispositionNotification)
	for _, h := range blocks {
		if h.Get("Disposition")+h.Get("Final-Recipient") == "" {
			continue
		}
		*n = DispositionNotification{
			ReportingUA: h.Text("Reporting-UA"),
			Gateway:     h.typed("MDN-Gateway"),
			Original:    h.address("Original-Recipient"),
			Final:       h.address("Final-Recipient"),
			MessageID:   first(h.d.identifiers(h.Get("Original-Message-ID"))),
			Failure:     h.Text("Failure"),
			Error:       h.Text("Error"),
			Warning:     h.Text("Warning"),
		}
		mode, rest, ok := strings.Cut(h.Text("Disposition"), ";")
		if !ok {
			mode, rest = "", mode
		}
		n.Mode = strings.TrimSpace(mode)
		kind, modifiers, _ := strings.Cut(rest, "/")
		n.Disposition = strings.ToLower(strings.TrimSpace(kind))
		for m := range strings.SplitSeq(modifiers, ",") {
			if m = strings.TrimSpace(m); m != "" {
				n.Modifiers = append(n.Modifiers, m)
			}
		}
		break
	}
	if n.Disposition == "" {
		p.defect(BadReport)
	}
	return n, nil
}

// blocks reads header sections with empty lines between them.
func (p *Part) blocks() ([]*Header, error) {
	text, err := p.Text()
	if err != nil {
		return nil, err
	}
	o := (*Options)(nil).withDefaults()
	s := scanner{source: newSource(strings.NewReader(text)), lineStart: true}
	defer s.free()
	var all []*Header
	const most = 10_000
	for len(all) < most {
		line, _ := s.line()
		if len(line) == 0 {
			break
		}
		if fieldName(line) < 0 {
			s.take(len(line))
			continue
		}
		h, _ := s.header(&o, true, func(int64, Kind) {})
		all = append(all, h)
	}
	return all, s.failure()
}

// typed returns a value without the type before it: dns; mail.example.com
func (h *Header) typed(name string) string {
	v := h.Text(name)
	if typ, rest, ok := strings.Cut(v, ";"); ok && !strings.ContainsAny(strings.TrimSpace(typ), " \t") {
		return strings.TrimSpace(rest)
	}
	return v
}

// address returns a typed value that is an address.
func (h *Header) address(name string) string {
	v := h.typed(name)
	return strings.TrimSuffix(strings.TrimPrefix(v, "<"), ">")
}

func firstWord(s string) string {
	if i := strings.IndexAny(s, " \t("); i >= 0 {
		return s[:i]
	}
	return s
}

// statusCode returns the code that a status begins with. RFC 3463 section 2.
func statusCode(s string) string {
	code := firstWord(s)
	parts := strings.Split(code, ".")
	if len(parts) != 3 {
		return s
	}
	for _, part := range parts {
		if _, err := strconv.Atoi(part); err != nil {
			return s
		}
	}
	return code
}
