package retrieval

import "time"

// Limits bound what a [Run] takes on, in each mailbox if there are several, but
// for BytesPerDay. Zero bounds nothing.
type Limits struct {
	// Messages and Bytes are how much is delivered in a run at most; one
	// message is, whatever its size. The rest is left to later runs.
	Messages int
	Bytes    int64

	// BytesPerDay is how many octets are received in 24 hours at most, from all
	// mailboxes of the account and by all runs that share its store. Gmail, for
	// one, locks accounts for a day that take more than some 2,500 MB a day
	// over IMAP or 1,250 MB over POP3; a limit below that leaves some of it to
	// other programs, of which nothing is known here.
	//
	// What counts is what comes over the wire, with listings and TLS, or the
	// octets of the messages where compression makes that less. It counts for
	// 24 to 25 hours, by the [Clock]: a machine's clock that jumps back loses
	// nothing of the day, and a jump ahead by a day is a day. Octets are
	// recorded as received before they are asked for, a message or a
	// sixty-fourth of the limit at a time (16 MiB at most), and what did not
	// come is taken back at the end. So a run that is killed has too much
	// recorded, by no more than that. The limit can be passed by a listing, for
	// nobody knows how large it will be, by the header sections that are compared
	// to know messages again ([Rematch], deletions), and by messages that are
	// larger than the server says; what [Watch] hears while it logs in to IMAP and
	// waits for news does not count.
	//
	// A message that there is no room for is left to later runs, and so is all
	// that would come after it, in any mailbox. One that is larger than seven
	// eighths of the limit comes once seven eighths are free. Header sections
	// that a filter asks for take half of what there is room for; the others
	// are asked for another day. When nothing is left, a run ends before it
	// connects. [Report.RoomIn] says how long that will be so, and [Watch]
	// leaves the account alone until then.
	BytesPerDay int64

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
