// Package crashes proves by dying that nothing is lost and nothing comes
// twice: a child process retrieves mail into a Maildir and a ledger, and is
// killed before, and within, each of its effects on the world. It has tests
// alone.
package crashes
