package main

import (
	lines "github.com/hpmq/hpmq/components/codec-lines"
	"github.com/hpmq/hpmq/sdk/guest/go/codec"
)

var _ = codec.Serve(&lines.Codec{})
