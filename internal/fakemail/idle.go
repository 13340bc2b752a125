package fakemail

import "strings"

// idle tells of changes as they come, until the client says DONE. RFC 9051
// section 6.3.13.
func (s *session) idle(a *args) error {
	if err := a.done(); err != nil {
		return err
	}
	s.line("+ idling")
	if err := s.flush(); err != nil {
		return err
	}
	stop := s.report()
	err := s.skipLine()
	stop()
	if err == nil && !strings.EqualFold(strings.TrimRight(string(s.buf), "\r\n"), "DONE") {
		return bad("DONE is expected")
	}
	return err
}

// report writes what happens in the mailbox from a goroutine of its own, until
// stop is called.
func (s *session) report() (stop func()) {
	if s.view == nil {
		return func() {}
	}
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			if s.tell(true) != nil {
				s.flush()
				s.raw.Close() // so that nobody waits for DONE
				return
			}
			if s.flush() != nil {
				return
			}
			select {
			case <-s.view.changed:
			case <-quit:
				return
			}
		}
	}()
	return func() {
		close(quit)
		<-ended
	}
}
