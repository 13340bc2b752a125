package main

import (
	"fmt"
	"net"

	"example.com/postbag/internal/fakemail"
)

// imapServer is an IMAP server in memory, behind relays into which a fault is
// scripted.
type imapServer struct {
	*site
	fault  *imapFault
	store  *fakemail.Store
	server *fakemail.Server
}

func newIMAPServer(s *site, f *imapFault) *imapServer {
	store := fakemail.NewStore(fakemail.Standard)
	store.AddUser(user, password)
	i := &imapServer{
		site: s, fault: f, store: store,
		server: fakemail.NewServer(store, &fakemail.Options{Without: []string{"COMPRESS=DEFLATE"}}),
	}
	for _, token := range tokens {
		i.deliver(token)
	}
	if f.before != nil {
		f.before(i)
	}
	return i
}

// deliver brings a new message, as the world does.
func (i *imapServer) deliver(token string, flags ...string) {
	data := mail(token)
	i.send(token, data)
	if _, err := i.store.Deliver(user, "INBOX", data, flags...); err != nil {
		panic(err) // there is such a mailbox
	}
}

// expunge removes a message, as another client does; with no token all.
func (i *imapServer) expunge(token string) {
	for _, m := range i.messages() {
		if token != "" && tokenOf(m.Data) != token {
			continue
		}
		if err := i.store.Delete(fmt.Sprintf("%d.%d", m.Validity, m.UID)); err != nil {
			panic(err)
		}
	}
}

// renumber is what a server does that has lost its indexes.
func (i *imapServer) renumber() {
	if err := i.store.Renumber(user, "INBOX"); err != nil {
		panic(err)
	}
}

func (i *imapServer) messages() []fakemail.Message {
	msgs, err := i.store.Messages(user, "INBOX")
	if err != nil {
		panic(err)
	}
	return msgs
}

// holds returns the messages that are on the server.
func (i *imapServer) holds() [][]byte {
	var all [][]byte
	for _, m := range i.messages() {
		all = append(all, m.Data)
	}
	return all
}

func tokenOf(msg []byte) string {
	if found := tokenLine.FindSubmatch(msg); found != nil {
		return string(found[1])
	}
	return ""
}

func (i *imapServer) serve(client net.Conn) {
	inner, outer := net.Pipe()
	i.serving.Go(func() { i.server.Serve(inner) })
	r := &relay{imapServer: i, client: client, server: outer, waiting: make(map[string]chan struct{})}
	i.serving.Go(r.up)
	r.down()
}
