// Command hpmq-stored has an MQTT broker keep messages and give them back, and says what that took.
// It knows flags and output; what is measured, package load knows.
//
//	hpmq-stored -sessions 1000 -rounds 100 -pid "$PID" -dir /var/lib/mosquitto
//	hpmq-stored -online -sessions 10 -rounds 2000 -pid "$PID"
//	hpmq-stored -retained 100000 -pid "$PID"
//	hpmq-stored -table results.jsonl
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"github.com/hpmq/hpmq/conformance/load"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "hpmq-stored:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	c := load.DefaultStored()
	fs := flag.NewFlagSet("hpmq-stored", flag.ExitOnError)
	fs.StringVar(&c.Addr, "addr", c.Addr, "host:port of the broker")
	fs.IntVar(&c.Publishers, "pubs", c.Publishers, "publishing connections")
	fs.IntVar(&c.Sessions, "sessions", c.Sessions, "persistent sessions")
	fs.IntVar(&c.Rounds, "rounds", c.Rounds, "messages of each publisher to each session")
	fs.BoolVar(&c.Online, "online", false, "sessions are connected while messages are published")
	fs.IntVar(&c.Receivers, "receivers", c.Receivers, "sessions that fetch at once")
	fs.IntVar(&c.PayloadBytes, "size", c.PayloadBytes, "bytes of a payload")
	fs.IntVar(&c.Window, "window", c.Window, "messages of a publisher on their way")
	fs.IntVar(&c.PID, "pid", 0, "process of the broker, to measure its CPU and memory")
	fs.StringVar(&c.Dir, "dir", "", "folder of the broker, to measure its files")
	retained := fs.Int("retained", 0, "retain so many messages, and subscribe to all")
	label := fs.String("label", "", "name of the broker in the output")
	table := fs.String("table", "", "run nothing, print a file of JSON lines for a person")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *table != "" {
		f, err := os.Open(*table)
		if err != nil {
			return err
		}
		defer f.Close()
		return load.WriteStored(os.Stdout, f)
	}
	enc := json.NewEncoder(os.Stdout)
	if *retained > 0 {
		c.Sessions = *retained
		r, err := load.RunRetained(ctx, c)
		if err != nil {
			return err
		}
		r.Label = *label
		return enc.Encode(r)
	}
	r, err := load.RunStored(ctx, c)
	if err != nil {
		return err
	}
	r.Label = *label
	return enc.Encode(r)
}
