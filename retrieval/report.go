package retrieval

import "time"

// Report is what a [Run] did, complete up to its error if it had one.
type Report struct {
	Listed      int   `json:"listed"`                // messages on the server
	Delivered   int   `json:"delivered"`             // settled: delivered, durable and recorded
	HeaderOnly  int   `json:"header_only,omitempty"` // of those, header sections of messages that are too large
	Deleted     int   `json:"deleted"`               // on the server, confirmed by it
	Reflagged   int   `json:"reflagged"`             // delivered copies that got other flags
	Discarded   int   `json:"discarded"`             // delivered copies removed, as on the server
	Acted       int   `json:"acted,omitempty"`       // messages for which the account's After was carried out
	Sent        int   `json:"sent,omitempty"`        // messages whose change here was carried to the server
	Held        int   `json:"held,omitempty"`        // messages removed here, so many that it has to be seen again
	Rematched   int   `json:"rematched,omitempty"`   // messages known again under another name
	Skipped     int   `json:"skipped"`               // listed, and nothing to do, not wanted, or beyond a limit
	Quarantined int   `json:"quarantined,omitempty"` // of those, because they have failed several times
	Failed      int   `json:"failed"`                // could not be retrieved, delivered or deleted
	Bytes       int64 `json:"bytes"`                 // of the messages delivered
	WireIn      int64 `json:"wire_in"`               // octets received, TLS included
	WireOut     int64 `json:"wire_out"`              // octets sent
	RoundTrips  int64 `json:"round_trips"`           // times this side spoke after the server had

	// More says that a limit has left messages to later runs.
	More bool `json:"-"`

	// RoomIn says that [Limits.BytesPerDay] is used up, or has no room for the
	// message that would be next, and how long it will be until it has. Zero:
	// it has room. If it was used up before the run began, nothing was done,
	// and More says that there may be messages.
	RoomIn time.Duration `json:"-"`

	Elapsed time.Duration `json:"-"`

	// Mailboxes holds what was done in each, if the account names several.
	Mailboxes map[string]Report `json:"mailboxes,omitempty"`

	// Failures holds the errors about single messages, the first 100 of them.
	Failures []error `json:"-"`
}

const maxFailures = 100

func (r *Report) fail(err error) {
	r.Failed++
	if len(r.Failures) < maxFailures {
		r.Failures = append(r.Failures, err)
	}
}

// add adds what was done in a mailbox, but for the traffic.
func (r *Report) add(o Report) {
	r.Listed += o.Listed
	r.Delivered += o.Delivered
	r.HeaderOnly += o.HeaderOnly
	r.Deleted += o.Deleted
	r.Reflagged += o.Reflagged
	r.Discarded += o.Discarded
	r.Acted += o.Acted
	r.Sent += o.Sent
	r.Held += o.Held
	r.Rematched += o.Rematched
	r.Skipped += o.Skipped
	r.Quarantined += o.Quarantined
	r.Failed += o.Failed
	r.Bytes += o.Bytes
	r.More = r.More || o.More
	r.Failures = append(r.Failures, o.Failures[:min(len(o.Failures), maxFailures-len(r.Failures))]...)
}
