package fakemail

import "strings"

// state is when a command may be given. RFC 9051 section 3.
type state int

const (
	anytime state = iota
	anonymous
	authenticated
	selected
)

// command is a command: when it may be given, and the capability without which
// it is unknown.
type command struct {
	state state
	needs string
	run   func(*session, *args) error
}

var commands = map[string]command{
	"CAPABILITY": {anytime, "", (*session).capability},
	"NOOP":       {anytime, "", func(_ *session, a *args) error { return a.done() }},
	"LOGOUT":     {anytime, "", (*session).logout},
	"ID":         {anytime, "ID", (*session).id},

	"STARTTLS":     {anonymous, "STARTTLS", (*session).startTLS},
	"LOGIN":        {anonymous, "LOGIN", (*session).login},
	"AUTHENTICATE": {anonymous, "", (*session).authenticate},

	"ENABLE":      {authenticated, "ENABLE", (*session).enable},
	"COMPRESS":    {authenticated, "COMPRESS=DEFLATE", (*session).compress},
	"NAMESPACE":   {authenticated, "NAMESPACE", (*session).namespace},
	"LIST":        {authenticated, "", (*session).list},
	"LSUB":        {authenticated, "", (*session).lsub},
	"STATUS":      {authenticated, "", (*session).status},
	"CREATE":      {authenticated, "", (*session).create},
	"DELETE":      {authenticated, "", (*session).deleteMailbox},
	"RENAME":      {authenticated, "", (*session).rename},
	"SUBSCRIBE":   {authenticated, "", (*session).subscribe},
	"UNSUBSCRIBE": {authenticated, "", (*session).unsubscribe},
	"APPEND":      {authenticated, "", (*session).append},
	"SELECT":      {authenticated, "", (*session).selectMailbox},
	"EXAMINE":     {authenticated, "", (*session).examine},
	"IDLE":        {authenticated, "IDLE", (*session).idle},

	"CHECK":       {selected, "", func(_ *session, a *args) error { return a.done() }},
	"CLOSE":       {selected, "", (*session).closeMailbox},
	"UNSELECT":    {selected, "UNSELECT", (*session).unselectMailbox},
	"EXPUNGE":     {selected, "", (*session).expunge},
	"UID EXPUNGE": {selected, "UIDPLUS", (*session).uidExpunge},
	"FETCH":       {selected, "", byNumber((*session).fetch)},
	"UID FETCH":   {selected, "", byUID((*session).fetch)},
	"STORE":       {selected, "", byNumber((*session).storeFlags)},
	"UID STORE":   {selected, "", byUID((*session).storeFlags)},
	"SEARCH":      {selected, "", byNumber((*session).search)},
	"UID SEARCH":  {selected, "", byUID((*session).search)},
	"COPY":        {selected, "", byNumber((*session).copy)},
	"UID COPY":    {selected, "", byUID((*session).copy)},
	"MOVE":        {selected, "MOVE", byNumber((*session).move)},
	"UID MOVE":    {selected, "MOVE", byUID((*session).move)},
}

func byNumber(f func(*session, *args, bool) error) func(*session, *args) error {
	return func(s *session, a *args) error { return f(s, a, false) }
}

func byUID(f func(*session, *args, bool) error) func(*session, *args) error {
	return func(s *session, a *args) error { return f(s, a, true) }
}

// split parts the name of a command, in upper case, from its arguments.
func split(text string) (name, args string) {
	name, args, _ = strings.Cut(text, " ")
	if name = strings.ToUpper(name); name == "UID" {
		var sub string
		sub, args, _ = strings.Cut(args, " ")
		name += " " + strings.ToUpper(sub)
	}
	return name, args
}
