//go:build wasip1

// Command guest is the component around enhanced.
package main

import (
	"github.com/hpmq/hpmq/conformance/mqtt/enhanced"
	"github.com/hpmq/hpmq/sdk/guest/go/authenticator"
)

var _ = authenticator.Serve(enhanced.Exchange{})

func main() {}
