// Package servers starts private, real mail servers for tests: Dovecot, Cyrus,
// Courier, GNU Mailutils and popa3d, as Debian packages them.
//
//	s := servers.Start(t, servers.Cyrus, servers.User{Name: "joe", Password: "secret"})
//	s.Deliver(t, "joe", msg)
//	… dial s.IMAPS, trust s.CA …
//
// # What it needs
//
// Linux, root, and the servers' programs. As packages they conflict with each
// other, so nothing is installed: the command
//
//	go run ./internal/servers/install
//
// has apt download them and unpacks them in [Dir]. Where one of these is
// missing, [Start] skips the test with one line; with POSTBAG_SERVERS=required
// in the environment it fails it.
//
// # What a server can touch
//
// Each server runs in mount, process and IPC namespaces of its own, over a
// private copy-on-write view of the machine's files that is thrown away
// afterwards. It listens on free ports of 127.0.0.1, asks no name servers, and
// trusts and is trusted by nobody else. The kernel kills all of its processes
// when the test's process ends, however that ends; a folder of the name
// postbag-* may then be left in the temporary folder.
//
// A Dovecot that the machine has installed also runs where namespaces are not
// allowed, as in a plain container.
package servers
