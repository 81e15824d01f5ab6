// Command hpmq-load puts load on an MQTT broker and says what came through. It knows flags and
// output; what a load is, package load knows.
//
//	hpmq-load -pattern p2p -qos 1 -duration 5s -pid "$(pidof mosquitto)"
//	hpmq-load -pattern conns -pubs 10000 -subs 0 -sources 4 -pid "$PID" -json
//	hpmq-load -medians results.jsonl
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"github.com/hpmq/hpmq/conformance/load"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "hpmq-load:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	c := load.Default()
	fs := flag.NewFlagSet("hpmq-load", flag.ExitOnError)
	fs.StringVar(&c.Addr, "addr", c.Addr, "host:port of the broker")
	pattern := fs.String("pattern", string(c.Pattern), "p2p, fanout, fanin or conns")
	fs.IntVar(&c.Publishers, "pubs", c.Publishers, "publishing connections")
	fs.IntVar(&c.Subscribers, "subs", c.Subscribers, "subscribing connections")
	qos := fs.Int("qos", 0, "quality of service")
	version := fs.Int("protocol", int(c.Version), "3 for 3.1, 4 for 3.1.1, 5 for 5.0")
	fs.IntVar(&c.PayloadBytes, "size", c.PayloadBytes, "bytes of a payload")
	fs.IntVar(&c.Window, "window", c.Window, "messages of a publisher on their way")
	fs.IntVar(&c.Rate, "rate", 0, "messages a second in all, 0 for what the window lets go")
	fs.DurationVar(&c.Warmup, "warmup", c.Warmup, "time before measuring")
	fs.DurationVar(&c.Duration, "duration", c.Duration, "time of measuring")
	fs.DurationVar(&c.Drain, "drain", c.Drain, "time to wait for the last messages")
	fs.IntVar(&c.PID, "pid", 0, "process of the broker, to measure its CPU and memory")
	fs.StringVar(&c.Username, "username", "", "user name")
	fs.StringVar(&c.Password, "password", "", "password")
	fs.IntVar(&c.Sources, "sources", c.Sources, "loopback addresses that conns come from")
	fs.BoolVar(&c.TLS, "tls", false, "speak TLS, trust any certificate")
	asJSON := fs.Bool("json", false, "one line of JSON")
	label := fs.String("label", "", "name of the broker in the output")
	medians := fs.String("medians", "", "run nothing, print medians of a file of JSON lines")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *medians != "" {
		return printMedians(*medians)
	}
	c.Pattern, c.QoS, c.Version = load.Pattern(*pattern), mqtt.QoS(*qos), mqtt.Version(*version)
	r, err := load.Run(ctx, c)
	if err != nil {
		return err
	}
	r.Label = *label
	if *asJSON {
		return r.WriteJSON(os.Stdout)
	}
	return r.WriteTable(os.Stdout)
}

func printMedians(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return load.WriteMedians(os.Stdout, f)
}
