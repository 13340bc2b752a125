package servers

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"example.com/postbag/internal/testca"
)

// start fills a folder for a server, runs it and waits until it answers. Its
// error wraps [errors.ErrUnsupported] if that cannot be on this machine. The
// server is nil if nothing was begun.
func start(kind Kind, prog program, users []User) (*Server, error) {
	layer, err := find(kind, prog)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "postbag-"+string(kind)+"-")
	if err != nil {
		return nil, err
	}
	s := &Server{Kind: kind, dir: dir, users: make(map[string]User)}
	s.store = prog.store(s)
	env, err := s.fill(prog, layer, users)
	if err != nil {
		return s, fmt.Errorf("servers: %s: %w", kind, err)
	}
	err = s.run(layer, prog.script, env, startBox)
	if errors.Is(err, errors.ErrUnsupported) && prog.bare && prog.in("") {
		err = s.run(layer, prog.script, env, startBare)
	}
	if err != nil {
		return s, fmt.Errorf("servers: %s: %w", kind, err)
	}
	return s, nil
}

// fill writes what the server's script reads, and returns its environment.
func (s *Server) fill(prog program, layer string, users []User) (env []string, err error) {
	if err := os.Chmod(s.dir, 0o755); err != nil {
		return nil, err
	}
	if err := s.certificate(); err != nil {
		return nil, err
	}
	var accounts strings.Builder
	for _, u := range users {
		s.users[u.Name] = u
		fmt.Fprintf(&accounts, "%s\t%s\n", u.Name, u.Password)
	}
	if err := os.Mkdir(filepath.Join(s.dir, "mail"), 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(s.dir, "accounts"), []byte(accounts.String()), 0o600); err != nil {
		return nil, err
	}
	env = []string{"MAIL_UID=" + strconv.Itoa(mailUID), "MAIL_GID=" + strconv.Itoa(mailGID)}
	for _, p := range []struct {
		name   string
		addr   *string
		served bool
	}{
		{"POP3", &s.POP3, true},
		{"POP3S", &s.POP3S, !prog.pop3Only},
		{"IMAP", &s.IMAP, !prog.pop3Only},
		{"IMAPS", &s.IMAPS, !prog.pop3Only},
		{"LMTP", &s.LMTP, prog.servesLMTP(layer)},
	} {
		if !p.served {
			continue
		}
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		s.ports = append(s.ports, port)
		*p.addr = "127.0.0.1:" + strconv.Itoa(port.number)
		env = append(env, p.name+"_PORT="+strconv.Itoa(port.number))
	}
	return env, nil
}

// certificate makes an authority and a certificate that nobody else knows.
func (s *Server) certificate() error {
	authority, err := testca.New()
	if err != nil {
		return err
	}
	issued, err := authority.Issue(time.Now().AddDate(0, 1, 0), "127.0.0.1", "localhost")
	if err != nil {
		return err
	}
	cert, key, err := testca.ServerPEM(issued)
	if err != nil {
		return err
	}
	s.CA, s.CAFile = authority.Pool(), filepath.Join(s.dir, "ca.pem")
	return errors.Join(
		os.WriteFile(s.CAFile, authority.PEM(), 0o644),
		os.WriteFile(filepath.Join(s.dir, "cert.pem"), cert, 0o644),
		os.WriteFile(filepath.Join(s.dir, "key.pem"), key, 0o644),
	)
}

// run starts the processes and waits for the greeting on every port.
func (s *Server) run(layer, script string, env []string, start func(dir, layer, script string, env []string) (*box, error)) error {
	b, err := start(s.dir, layer, script, env)
	if err != nil {
		return err
	}
	ports := map[string]*x509.CertPool{s.POP3: nil, s.POP3S: s.CA, s.IMAP: nil, s.IMAPS: s.CA, s.LMTP: nil}
	delete(ports, "")
	var wg sync.WaitGroup
	errs := make(chan error, len(ports))
	for addr, ca := range ports {
		wg.Go(func() { errs <- awaitGreeting(addr, ca, b.done) })
	}
	wg.Wait()
	close(errs)
	for e := range errs {
		err = errors.Join(err, e)
	}
	if err != nil {
		b.stop()
		if b.refused() {
			return noBox(s.logTail())
		}
		return err
	}
	s.box, s.mail = b, b.mail
	return nil
}
