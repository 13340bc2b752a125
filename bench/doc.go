// Package bench compares postbag with others who do the same on the same
// Dovecot, in the same minutes: with a raw reader that asks for everything at
// once and throws it away, which is the limit, and with other clients. It is a
// module of its own, so that these are not among the requirements of those who
// use postbag.
//
//	cd bench && go test -bench . -benchtime 3x
//
// BenchmarkMessage and BenchmarkMessageMemory compare package message with other
// parsers of mail, over the corpus beside the module; TestEnmime tells how often
// enmime reads the same.
//
// BenchmarkDurable compares what is on the disk for good at the end. The command
// crashmatrix compares what is left after a crash; it writes docs/crash-matrix.md.
//
// x-raw is the time of a client over the time of the raw reader in the same
// rounds. Only ratios mean something: the seconds are those of one machine.
// A peer that is a program (mpop, mbsync, getmail, python3) is left out where it
// is not installed. imapflow, which is for node, is installed by
//
//	npm ci --ignore-scripts --prefix imapflow
//
// and left out where it or node is not.
package bench
