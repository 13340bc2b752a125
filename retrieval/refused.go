package retrieval

import "fmt"

// refused is the error of a Commit that came to its end, but for some messages
// that the server did not delete. It is an [ErrUncommitted].
type refused struct{ each []*MessageError }

func (r *refused) add(uid UID, err error) { r.each = append(r.each, &MessageError{uid, err}) }

// err returns r if there is any.
func (r *refused) err() error {
	if len(r.each) == 0 {
		return nil
	}
	return r
}

func (r *refused) uids() []UID {
	var uids []UID
	for _, e := range r.each {
		uids = append(uids, e.UID)
	}
	return uids
}

// Error tells of the first, and how many more there are.
func (r *refused) Error() string {
	s := "delete: " + r.each[0].Error()
	if n := len(r.each) - 1; n > 0 {
		s += fmt.Sprintf("; and %d more", n)
	}
	return s
}

// Unwrap returns what each of the errors is, and [ErrUncommitted].
func (r *refused) Unwrap() []error {
	errs := []error{ErrUncommitted}
	for _, e := range r.each {
		errs = append(errs, e)
	}
	return errs
}
