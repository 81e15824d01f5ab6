//go:build wasip1

// Command guest is the component router-rules.
package main

import (
	route "github.com/hpmq/hpmq/components/router-rules"
	"github.com/hpmq/hpmq/sdk/guest/go/router"
)

var _ = router.Serve(&route.Routes{})

func main() {}
