// Command hpmq-cli is what an operator types: it asks a running broker through its admin API. It
// knows flags, tables and exit codes; all else is sdk/client.
package main

import (
	"context"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}
