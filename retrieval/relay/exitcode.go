package relay

import "example.com/postbag/retrieval"

// verdicts is what an exit code says of a message: nil that it was taken. A
// code that is not here says that the program failed in a way that may pass,
// which loses nothing. Those from 64 on are of sysexits.h; Postfix and sendmail
// see them alike, but for those that are about the program and not about the
// message (64, 66, 70, 72, 78), which return mail there. 100, 111 and 112 are
// what qmail and getmail know.
var verdicts = map[int]error{
	0:   nil,
	65:  retrieval.ErrRejected, // EX_DATAERR
	67:  retrieval.ErrRejected, // EX_NOUSER
	68:  retrieval.ErrRejected, // EX_NOHOST
	69:  retrieval.ErrRejected, // EX_UNAVAILABLE
	76:  retrieval.ErrRejected, // EX_PROTOCOL
	77:  retrieval.ErrRejected, // EX_NOPERM
	100: retrieval.ErrRejected,
	112: retrieval.ErrRejected,
	126: errNoProgram, // as env and the shells say it
	127: errNoProgram,
}

// verdict returns what an exit code says.
func verdict(code int) error {
	if v, ok := verdicts[code]; ok {
		return v
	}
	return retrieval.ErrDeferred // 71, 73, 74, 75 (EX_TEMPFAIL), 111, and all others
}
