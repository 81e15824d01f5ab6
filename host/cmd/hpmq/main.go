// Command hpmq runs an MQTT broker. It knows flags and signals; what a broker is, is host/app's,
// and what it can be told, configs'.
package main

import (
	"context"
	"os"
)

func main() {
	gc := paceGC()
	os.Exit(run(context.Background(), os.Args[1:], system{
		out: os.Stdout, err: os.Stderr, environ: os.Environ(), signals: listen(),
		restoring: gc.restoring, limit: limitHeap, room: makeRoom,
	}))
}
