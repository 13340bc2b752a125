package retrieval

import (
	"context"
	"encoding/hex"
	"io"

	"example.com/postbag/pop3client"
)

// nameByHeader lists the maildrop with names that are made of the messages'
// header sections, which it retrieves. They last as long as these do; two
// messages with the same header section have the same.
func (s *pop3Session) nameByHeader(ctx context.Context) ([]pop3client.Entry, error) {
	list, err := s.c.List(ctx)
	if err != nil {
		return nil, err
	}
	at := make(map[int]int, len(list))
	for i, e := range list {
		at[e.Number] = i
		list[i].UID = ""
	}
	for body, err := range s.c.TopEach(ctx, 0, list...) {
		if err != nil {
			return nil, err // a message without a name might be taken for gone
		}
		uid, err := headerName(body)
		if err != nil {
			return nil, err
		}
		list[at[body.Number()]].UID = string(uid)
	}
	return list, nil
}

// headerName makes a message's name of its header section.
func headerName(header io.Reader) (UID, error) {
	p := new(printer)
	if _, err := io.Copy(p, header); err != nil {
		return "", err
	}
	return UID("header-" + hex.EncodeToString(p.sum())), nil
}
