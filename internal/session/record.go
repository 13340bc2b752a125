package session

import (
	"bufio"
	"bytes"
	"compress/flate"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"

	"example.com/postbag/internal/transport"
)

// Recorder stands between a client and a server and writes down what they
// say. It ends TLS on both sides, so that it understands what passes.
type Recorder struct {
	// W gets the session, one Write a line.
	W io.Writer

	// Dial connects to the server.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	// ImplicitTLS says that there is TLS from the first octet.
	ImplicitTLS bool

	// ToServer and ToClient are the TLS configurations of the two sides.
	// ToServer's ServerName defaults to the host dialled.
	ToServer, ToClient *tls.Config

	// Mask hides messages and addresses: letters and digits become x and 9.
	Mask bool

	mu    sync.Mutex
	conns int
	wg    sync.WaitGroup
	open  []net.Conn
}

// DialContext is for the client's options.
func (r *Recorder) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	raw, err := r.Dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	server := raw
	cfg := r.toServer(addr)
	if r.ImplicitTLS {
		secure := tls.Client(raw, cfg)
		if err := secure.HandshakeContext(ctx); err != nil {
			raw.Close()
			return nil, transport.Mark(transport.ErrTLS, fmt.Errorf("tls: %w", err))
		}
		server = secure
	}
	client, ours := Pipe()
	t := &tap{rec: r, cfg: cfg, server: server, client: ours, secrets: newSecrets(r.Mask)}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conns++; r.conns > 1 {
		t.write("= CONNECT")
	}
	r.open = append(r.open, raw, ours)
	r.wg.Go(t.run)
	return client, nil
}

func (r *Recorder) toServer(addr string) *tls.Config {
	cfg := r.ToServer.Clone()
	if cfg == nil {
		cfg = new(tls.Config)
	}
	if cfg.ServerName == "" {
		cfg.ServerName, _, _ = net.SplitHostPort(addr)
	}
	return cfg
}

// Close ends what is still open and waits for the last line to be written.
func (r *Recorder) Close() {
	r.mu.Lock()
	for _, c := range r.open {
		c.Close()
	}
	r.mu.Unlock()
	r.wg.Wait()
}

// tap is one connection that is being recorded.
type tap struct {
	rec     *Recorder
	cfg     *tls.Config // to the server
	server  net.Conn
	client  net.Conn
	secrets *secrets

	mu       sync.Mutex // held while a line is written down and passed on
	toServer io.Writer
	toClient io.Writer
	switched chan struct{} // closed when a switch that the client asked for is decided
	asked    string        // TLS or COMPRESS, while the server has not answered
}

func (t *tap) write(line string) { io.WriteString(t.rec.W, line+"\n") }

// line writes down what was said.
func (t *tap) line(who string, line []byte) {
	text, crlf := bytes.CutSuffix(line, []byte("\r\n"))
	if crlf && bytes.IndexByte(text, '\n') < 0 {
		t.write(who + ": " + string(text))
	} else {
		t.write(who + "64: " + base64.StdEncoding.EncodeToString(line))
	}
}

func (t *tap) run() {
	defer t.server.Close()
	defer t.client.Close()
	t.toServer, t.toClient = t.server, t.client
	if t.rec.ImplicitTLS {
		t.write("= TLS")
		secure := tls.Server(t.client, t.rec.ToClient)
		if secure.Handshake() != nil {
			return
		}
		t.client, t.toClient = secure, secure
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		t.fromServer()
		t.closeBoth()
	})
	t.fromClient()
	t.closeBoth()
	wg.Wait()
}

func (t *tap) closeBoth() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.server.Close()
	t.client.Close()
	if t.asked != "" {
		t.asked = ""
		close(t.switched)
	}
}

// fromClient passes on what the client says.
func (t *tap) fromClient() {
	br := bufio.NewReaderSize(t.client, 64<<10)
	for {
		line, err := readLine(br)
		if len(line) > 0 {
			t.mu.Lock()
			wait := t.said(line)
			_, werr := t.toServer.Write(line)
			t.mu.Unlock()
			if werr != nil {
				return
			}
			if wait != nil {
				<-wait
				t.mu.Lock()
				br = bufio.NewReaderSize(t.reader(br), 64<<10)
				t.mu.Unlock()
			}
		}
		if err != nil {
			return
		}
	}
}

// said writes down what the client says. wait is for a switch that it asks for.
func (t *tap) said(line []byte) (wait <-chan struct{}) {
	message, rest := t.secrets.leftOut(line)
	if message > 0 {
		t.write(fmt.Sprintf("C*: %d", message))
	}
	if len(rest) == 0 {
		return nil
	}
	t.line("C", t.secrets.client(rest))
	return t.ask(rest)
}

// ask notes that the client asks for a switch, which the server will decide.
func (t *tap) ask(line []byte) <-chan struct{} {
	words := strings.Fields(strings.ToUpper(string(line)))
	switch {
	case len(words) == 1 && words[0] == "STLS", len(words) == 2 && words[1] == "STARTTLS":
		t.asked = "TLS"
	case len(words) == 3 && words[1] == "COMPRESS" && words[2] == "DEFLATE":
		t.asked = "COMPRESS"
	default:
		return nil
	}
	t.switched = make(chan struct{})
	return t.switched
}

// reader returns what the client is read from after a switch.
func (t *tap) reader(br *bufio.Reader) io.Reader {
	if _, compressed := t.toClient.(*flushing); compressed {
		return flate.NewReader(br)
	}
	if br.Buffered() > 0 {
		return io.MultiReader(io.LimitReader(br, int64(br.Buffered())), t.client)
	}
	return t.client
}

// fromServer passes on what the server says.
func (t *tap) fromServer() {
	br := bufio.NewReaderSize(t.server, 64<<10)
	for {
		line, err := readLine(br)
		if len(line) > 0 {
			t.mu.Lock()
			t.line("S", t.secrets.server(line))
			_, werr := t.toClient.Write(line)
			if werr == nil && t.asked != "" && isAnswer(line) {
				br, werr = t.decide(br, line)
			}
			t.mu.Unlock()
			if werr != nil {
				return
			}
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				t.mu.Lock()
				t.write("# [server closes connection]")
				t.mu.Unlock()
			}
			return
		}
	}
}

// isAnswer tells whether a line ends a command.
func isAnswer(line []byte) bool { return len(line) > 0 && line[0] != '*' }

// decide carries out the switch that was asked for, if the server agrees.
func (t *tap) decide(br *bufio.Reader, line []byte) (*bufio.Reader, error) {
	what := t.asked
	t.asked = ""
	defer close(t.switched)
	words := append(strings.Fields(string(line)), "", "")
	agreed := words[0] == "+OK" || strings.EqualFold(words[1], "OK")
	switch {
	case !agreed || br.Buffered() > 0: // what is ahead of a handshake goes to the client as it is
		return br, nil
	case what == "TLS":
		t.write("= TLS")
		up, down := tls.Client(t.server, t.cfg), tls.Server(t.client, t.rec.ToClient)
		if err := errors.Join(up.Handshake(), down.Handshake()); err != nil {
			return br, err
		}
		t.server, t.client, t.toServer, t.toClient = up, down, up, down
		return bufio.NewReaderSize(up, 64<<10), nil
	}
	t.write("= COMPRESS")
	t.toServer, t.toClient = newFlushing(t.server), newFlushing(t.client)
	return bufio.NewReaderSize(flate.NewReader(br), 64<<10), nil
}

// flushing compresses each Write so that it can be read at once.
type flushing struct{ w *flate.Writer }

func newFlushing(w io.Writer) *flushing {
	f, _ := flate.NewWriter(w, flate.DefaultCompression) // the level is a good one
	return &flushing{f}
}

func (f *flushing) Write(p []byte) (int, error) {
	n, err := f.w.Write(p)
	if err == nil {
		err = f.w.Flush()
	}
	return n, err
}

// readLine reads a line, or as much of a long one as fits.
func readLine(br *bufio.Reader) ([]byte, error) {
	line, err := br.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		err = nil
	}
	return line, err
}
