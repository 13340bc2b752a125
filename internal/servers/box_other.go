//go:build !linux

package servers

// box exists on Linux only.
type box struct {
	mail string
	done chan struct{}
}

func startBox(_, _, _ string, _ []string) (*box, error) { return nil, noBox("not Linux") }

func startBare(_, _, _ string, _ []string) (*box, error) { return nil, noBox("not Linux") }

func (*box) stop() {}

func (*box) refused() bool { return true }
