package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// account makes the account that URL and flags describe. done closes what was
// opened for it.
func (c *command) account(ctx context.Context) (a retrieval.Account, done func(), err error) {
	done = func() {}
	a, err = retrieval.ParseURL(c.url)
	if err != nil {
		return a, done, usageError("%v", err)
	}
	if err := c.checkServer(a); err != nil {
		return a, done, err
	}
	c.describe(&a)
	if c.plaintext {
		a.Security = retrieval.Plaintext
	}
	if a.TLSConfig, err = c.tlsConfig(); err != nil {
		return a, done, err
	}
	password, err := c.password(ctx, a.User)
	if err != nil {
		return a, done, err
	}
	a.Password = func(context.Context) (string, error) { return password, nil }
	if c.transcript != "" {
		f, err := createPrivate(c.transcript)
		if err != nil {
			return a, done, err
		}
		a.Transcript, done = f, func() { f.Close() }
	}
	if c.record != "" {
		stop, err := c.recordTo(&a)
		if err != nil {
			done()
			return a, func() {}, err
		}
		done = func(before func()) func() { return func() { stop(); before() } }(done)
	}
	return a, done, nil
}

// recordTo has the account's sessions written to the file of -record.
func (c *command) recordTo(a *retrieval.Account) (stop func(), err error) {
	f, err := createPrivate(c.record)
	if err != nil {
		return nil, err
	}
	recorded, end, err := retrievaltest.Record(*a, f, &retrievaltest.RecordOptions{Mask: !c.unmasked})
	if err != nil {
		f.Close()
		return nil, err
	}
	*a = recorded
	return func() { end(); f.Close() }, nil
}

func createPrivate(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	return f, diskError(err)
}

func (c *command) tlsConfig() (*tls.Config, error) {
	if c.caFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(c.caFile)
	if err != nil {
		return nil, usageError("-cafile: %v", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, usageError("-cafile: no certificate in %s", c.caFile)
	}
	return &tls.Config{RootCAs: pool}, nil
}

// password comes from the environment, a file, or a person at a terminal.
func (c *command) password(ctx context.Context, user string) (string, error) {
	switch {
	case c.passwordEnv != "":
		p := os.Getenv(c.passwordEnv)
		if p == "" {
			return "", usageError("-password-env: %s is not set", c.passwordEnv)
		}
		return p, nil
	case c.passwordFile != "":
		f, err := os.Open(c.passwordFile)
		if err != nil {
			return "", usageError("-password-file: %v", err)
		}
		defer f.Close()
		line, err := bufio.NewReader(f).ReadString('\n')
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			return "", usageError("-password-file: no password in the first line of %s%s", c.passwordFile, because(err))
		}
		return line, nil
	}
	in, ok := c.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return "", usageError("where is the password? -password-file F or -password-env VAR")
	}
	return c.ask(ctx, user, int(in.Fd()))
}

// ask reads a password from a terminal, which does not show it.
func (c *command) ask(ctx context.Context, user string, fd int) (string, error) {
	before, err := term.GetState(fd)
	if err != nil {
		return "", usageError("no password: %v", err)
	}
	defer term.Restore(fd, before) // also when interrupted
	defer fmt.Fprintln(c.stderr)
	fmt.Fprintf(c.stderr, "Password of %s: ", user)
	type answer struct {
		password []byte
		err      error
	}
	answered := make(chan answer, 1)
	go func() { // ends with the process, if nothing is typed
		p, err := term.ReadPassword(fd)
		answered <- answer{p, err}
	}()
	select {
	case <-ctx.Done():
		return "", context.Cause(ctx)
	case a := <-answered:
		if a.err != nil || len(a.password) == 0 {
			return "", usageError("no password was given%s", because(a.err))
		}
		return string(a.password), nil
	}
}

func because(err error) string {
	if pe := (*os.PathError)(nil); errors.As(err, &pe) {
		return ": " + pe.Error()
	}
	return ""
}
