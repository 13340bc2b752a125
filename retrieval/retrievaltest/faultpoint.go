package retrievaltest

import (
	"fmt"
	"strings"
)

// Point is where in a session a [Fault] happens.
//
// A point at a command names it by how it begins, without IMAP's tag and in any
// case: "RETR", "UID EXPUNGE", "RETR 3". Empty is any command. Of those that
// match it is the nth, counted from 1 on each connection. What the client sends
// within a command is not a command: a literal, an answer to a challenge, DONE.
type Point struct {
	place   pointPlace
	command string
	nth     int
	octets  int64
}

type pointPlace int

const (
	pointReceived pointPlace = iota
	pointSent
	pointBefore
	pointAfter
	pointWithin
)

// greetingName stands for what the greeting is the reply to.
const greetingName = "\x00GREETING"

// AfterReceived is when the client has received n octets. They are octets of
// the mail protocol: with [Faulty], TLS does not count.
func AfterReceived(n int64) Point { return Point{place: pointReceived, octets: n} }

// AfterSent is when n octets from the client have reached the server, and the
// replies to the commands before have reached the client.
func AfterSent(n int64) Point { return Point{place: pointSent, octets: n} }

// BeforeCommand is before the server gets the nth command called name, when
// the replies to those before have reached the client.
func BeforeCommand(name string, nth int) Point { return commandPoint(pointBefore, name, nth, 0) }

// AfterCommand is when the server has carried out the nth command called name,
// and the client has received nothing of the reply. [Cut], [Reset] and [Answer]
// wait until the server has said all of it, the other faults happen when it
// begins.
func AfterCommand(name string, nth int) Point { return commandPoint(pointAfter, name, nth, 0) }

// WithinReply is when the client has received n octets of the reply to the nth
// command called name, or all if the reply is shorter.
func WithinReply(name string, nth int, n int64) Point {
	return commandPoint(pointWithin, name, nth, n)
}

// AtGreeting is when the server has said its greeting, and the client has
// received nothing of it.
func AtGreeting() Point { return commandPoint(pointAfter, greetingName, 1, 0) }

func commandPoint(place pointPlace, name string, nth int, n int64) Point {
	if nth < 1 {
		panic("retrievaltest: commands are counted from 1")
	}
	return Point{place: place, command: strings.ToUpper(name), nth: nth, octets: n}
}

// String says where, for messages.
func (p Point) String() string {
	name := fmt.Sprintf("%s no. %d", p.command, p.nth)
	switch {
	case p.command == greetingName:
		name = "the greeting"
	case p.command == "":
		name = fmt.Sprintf("command no. %d", p.nth)
	}
	switch p.place {
	case pointReceived:
		return fmt.Sprintf("after %d octets received", p.octets)
	case pointSent:
		return fmt.Sprintf("after %d octets sent", p.octets)
	case pointBefore:
		return "before " + name
	case pointAfter:
		return "after " + name
	}
	return fmt.Sprintf("%d octets within the reply to %s", p.octets, name)
}

// matches tells whether a command is one of those that p counts.
func (p *Point) matches(command string) bool {
	if p.place < pointBefore || (command == greetingName) != (p.command == greetingName) {
		return false
	}
	rest, ok := strings.CutPrefix(strings.ToUpper(command), p.command)
	return ok && (p.command == "" || rest == "" || rest[0] == ' ')
}
