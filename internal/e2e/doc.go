// Package e2e tests the command mailget against a Dovecot: everything from
// the command line to the octets on the disk. It holds no code but tests.
package e2e
