// Command hpmq-demo runs the demo on binaries it builds first, and ends with 1 if the story did
// not end as told. With -languages it is the story of components in every language, with -newcomer
// that of somebody who writes the first one.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/hpmq/hpmq/conformance/demo"
	"github.com/hpmq/hpmq/conformance/process"
)

func main() {
	o := demo.Options{Out: os.Stdout}
	flag.IntVar(&o.Rate, "rate", 1000, "messages a second")
	flag.IntVar(&o.Each, "each", 500, "messages to be seen between two steps")
	flag.StringVar(&o.Guests, "guests", "components/testdata", "folder of the hostile guests")
	languages := flag.String("languages", "", "folders of guests, parted by commas")
	newcomer := flag.String("newcomer", "", "languages of a first component, parted by commas")
	limit := flag.Duration("timeout", 3*time.Minute, "give up after this long")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *limit)
	defer cancel()
	tell := demo.Run
	if *newcomer != "" {
		tell = func(ctx context.Context, o demo.Options) (demo.Report, error) {
			return demo.Newcomer(ctx, o, strings.Split(*newcomer, ","))
		}
	}
	if *languages != "" {
		tell = func(ctx context.Context, o demo.Options) (demo.Report, error) {
			guests, err := demo.Guests(strings.Split(*languages, ",")...)
			if err != nil {
				return demo.Report{}, err
			}
			return demo.Languages(ctx, o, guests)
		}
	}
	if err := run(ctx, o, tell); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type story func(context.Context, demo.Options) (demo.Report, error)

func run(ctx context.Context, o demo.Options, tell story) error {
	dir, err := os.MkdirTemp("", "hpmq-bin-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if o.Hpmq, o.Cli, err = process.Build(ctx, dir); err != nil {
		return err
	}
	r, err := tell(ctx, o)
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
