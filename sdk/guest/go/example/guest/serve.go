//go:build wasip1

package main

import (
	"github.com/hpmq/hpmq/sdk/guest/go/conversion"
	vendor "github.com/hpmq/hpmq/sdk/guest/go/example"
)

var _ = conversion.Serve(vendor.Conversion())
