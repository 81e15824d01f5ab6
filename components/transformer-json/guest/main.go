//go:build wasip1

// Command guest is the component transformer-json.
package main

import (
	transform "github.com/hpmq/hpmq/components/transformer-json"
	"github.com/hpmq/hpmq/sdk/guest/go/history"
	"github.com/hpmq/hpmq/sdk/guest/go/transformer"
)

var _ = transformer.Serve(&transform.Transformer{History: history.Log{}})

func main() {}
