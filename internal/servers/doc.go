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
// has apt download them and unpacks them in [Dir]. Where something is missing,
// [Start] skips the test with one line; with POSTBAG_SERVERS=required in the
// environment it fails it.
//
// # What a server can touch
//
// Each server runs in mount, process and IPC namespaces of its own, over a
// private copy-on-write view of the machine's files. That and the mail are in
// memory and go with it. It listens on free ports of 127.0.0.1 and asks no name
// servers. When the test's process ends, however that ends, the kernel kills
// all of the server's processes; the folder postbag-KIND-*, with its log, may
// then be left in the temporary folder.
//
// A Dovecot that the machine has installed also runs where namespaces are not
// allowed, as in a plain container.
//
// # How they are set up
//
// As Debian does, except: passwords also over plaintext, every mechanism that
// plain passwords allow, no waiting after a wrong password (Courier waits 5 s all
// the same), hundreds of connections from one address, and Cyrus keeps 8-bit
// header fields as they are. STARTTLS, STLS and TLS from the start work with all
// but popa3d. Checked with Debian 12 (Dovecot 2.3.19, Cyrus 3.6.1, Courier
// 5.0.13, Mailutils 3.15, popa3d 1.0.3) and 13.
package servers
