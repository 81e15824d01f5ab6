// Command hpmq-lite runs an MQTT broker for small devices: the same kernel, engine and components
// as hpmq, with sockets of the standard library and one file. It knows flags, a JSON file and
// signals, and which room gets what; it knows no rule of MQTT.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	os.Exit(run(context.Background(), os.Args[1:], system{
		out: os.Stdout, err: os.Stderr, signals: signals,
	}))
}
