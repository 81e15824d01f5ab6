//go:build wasip1

package main

import (
	"github.com/hpmq/hpmq/sdk/guest/go/conversion"
	acme "github.com/hpmq/hpmq/sdk/guest/go/example"
)

var _ = conversion.Serve(acme.Conversion())
