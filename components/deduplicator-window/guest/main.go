//go:build wasip1

// Command guest is the component deduplicator-window.
package main

import (
	window "github.com/hpmq/hpmq/components/deduplicator-window"
	"github.com/hpmq/hpmq/sdk/guest/go/deduplicator/byhandle"
	"github.com/hpmq/hpmq/sdk/guest/go/kv"
)

var _ = byhandle.Serve(&window.Window{Store: kv.Store{}})

func main() {}
