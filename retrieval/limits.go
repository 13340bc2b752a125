package retrieval

import "time"

// Limits bound what a [Run] takes on, in each mailbox if there are several. Zero
// bounds nothing.
type Limits struct {
	// Messages and Bytes are how much is delivered in a run at most; one
	// message is, whatever its size. The rest is left to later runs.
	Messages int
	Bytes    int64

	// Time is how long a run goes on to retrieve. It ends between two
	// messages, and deletes what is to be deleted.
	Time time.Duration

	// MessageSize is the largest message, in octets, that is retrieved. Of a
	// larger one the header section is delivered ([Message.HeaderOnly]), and
	// the message is never deleted. It is retrieved, and takes the place of
	// the header section, when the limit allows that. A message that turns out
	// to be larger than the server said is broken off and treated the same.
	MessageSize int64
}
