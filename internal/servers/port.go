package servers

import (
	"errors"
	"math/rand/v2"
	"net"
)

// port is a TCP port of 127.0.0.1 for a server.
type port struct {
	number int
	hold   net.PacketConn
}

// freePort returns a port that nobody listens on. It is below those that the
// kernel hands out, which another program may have at any moment; and until
// release no other freePort returns it, in this process or another, because the
// UDP port of the same number is taken: mail servers have no use for that.
func freePort() (port, error) {
	for range 1000 {
		addr := net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 10_000 + rand.IntN(22_000)}
		hold, err := net.ListenPacket("udp4", addr.String())
		if err != nil {
			continue
		}
		ln, err := net.ListenTCP("tcp4", &addr)
		if err != nil {
			hold.Close()
			continue
		}
		ln.Close()
		return port{addr.Port, hold}, nil
	}
	return port{}, errors.New("no free ports")
}

func (p port) release() { p.hold.Close() }
