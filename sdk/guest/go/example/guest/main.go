//go:build wasip1

// Command guest is the component acme.
package main

import (
	"github.com/hpmq/hpmq/sdk/guest/go/conversion"
	acme "github.com/hpmq/hpmq/sdk/guest/go/example"
)

var _ = conversion.Serve(acme.Conversion())

func main() {}
