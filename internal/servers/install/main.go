// Command install has apt download the mail servers that package servers runs,
// and unpacks them; nothing is installed on the machine. It takes root.
//
//	go run ./internal/servers/install            # all of them
//	go run ./internal/servers/install dovecot    # some
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"example.com/postbag/internal/servers"
)

func main() {
	kinds := servers.Kinds()
	if len(os.Args) > 1 {
		kinds = nil
		for _, name := range os.Args[1:] {
			kinds = append(kinds, servers.Kind(name))
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := servers.Install(ctx, os.Stdout, kinds...); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
