package servers

import (
	"io"
	"net"
	"os"
)

// syslog writes what programs send with syslog(3) to the socket name to log, a
// line each, until stop is called. Without a socket it writes nothing: name may
// be too long for one.
func syslog(log io.Writer, name string) (stop func()) {
	os.Remove(name) // of a first attempt
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return func() {}
	}
	os.Chmod(name, 0o666)
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 8<<10)
		for {
			n, err := conn.Read(buf[:len(buf)-1])
			if err != nil {
				return
			}
			buf[n] = '\n'
			log.Write(buf[:n+1])
		}
	}()
	return func() {
		conn.Close()
		<-done
	}
}
