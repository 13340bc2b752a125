// Package chaos proves in the open what package crashes proves step by step: a
// child process watches many accounts of a real server, is killed again and
// again, and loses its connections, while another client of the server and a
// mail program on this side do what they like. Then it is quiet, and everything
// has to be in its place. It has tests alone.
//
//	go test ./internal/chaos                          some seconds, some accounts
//	POSTBAG_CHAOS=10m go test ./internal/chaos -v     50 accounts
//	POSTBAG_CHAOS_SEED=4711                           what is random, as in the run that printed it
//
// The seed fixes what is done to whom; when it happens is up to the machine.
package chaos
