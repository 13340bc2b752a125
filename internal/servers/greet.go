package servers

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"time"
)

// awaitGreeting returns when the server at addr has greeted, or ended.
func awaitGreeting(addr string, ca *x509.CertPool, ended <-chan struct{}) error {
	deadline := time.Now().Add(30 * time.Second)
	for {
		err := greeting(addr, ca, deadline)
		if err == nil || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ended:
			return fmt.Errorf("%s: the server has ended", addr)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// greeting connects, with TLS from the start unless ca is nil, and reads a line.
func greeting(addr string, ca *x509.CertPool, deadline time.Time) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(deadline)
	if ca != nil {
		conn = tls.Client(conn, &tls.Config{RootCAs: ca, ServerName: "127.0.0.1"})
	}
	_, err = bufio.NewReader(conn).ReadSlice('\n')
	return err
}
