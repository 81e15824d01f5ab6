// Command hpmq-demo runs the demo on binaries it builds first, and ends with 1 if the story did
// not end as told.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/hpmq/hpmq/conformance/demo"
	"github.com/hpmq/hpmq/conformance/process"
)

func main() {
	o := demo.Options{Out: os.Stdout}
	flag.IntVar(&o.Rate, "rate", 1000, "messages a second")
	flag.IntVar(&o.Each, "each", 500, "messages to be seen between two steps")
	flag.StringVar(&o.Guests, "guests", "components/testdata", "folder of the hostile guests")
	limit := flag.Duration("timeout", 3*time.Minute, "give up after this long")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *limit)
	defer cancel()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o demo.Options) error {
	dir, err := os.MkdirTemp("", "hpmq-bin-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if o.Hpmq, o.Cli, err = process.Build(ctx, dir); err != nil {
		return err
	}
	r, err := demo.Run(ctx, o)
	fmt.Printf("\n%d messages sent, %d received; seen in turn: %v\n", r.Sent, r.Received, r.Shapes)
	for _, f := range r.Faults {
		fmt.Println("fault:", f)
	}
	if err == nil && len(r.Faults) > 0 {
		err = fmt.Errorf("%d faults", len(r.Faults))
	}
	if err == nil {
		fmt.Println("No message missing, none twice, none out of order; no connection ended.")
	}
	return err
}
