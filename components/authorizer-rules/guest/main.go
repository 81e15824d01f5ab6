//go:build wasip1

// Command guest is the component authorizer-rules.
package main

import (
	rules "github.com/hpmq/hpmq/components/authorizer-rules"
	"github.com/hpmq/hpmq/sdk/guest/go/authorizer"
)

var _ = authorizer.Serve(&rules.Rules{})

func main() {}
