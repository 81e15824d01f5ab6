package conversion

import (
	"github.com/hpmq/hpmq/sdk/guest/go/history"
	"github.com/hpmq/hpmq/sdk/guest/go/transformer"
)

// Serve makes c answer the role of a transformer. A main package calls it while its variables are
// set, since main itself never runs: var _ = conversion.Serve(c).
func Serve(c Conversion) bool {
	c.History = history.Log{}
	return transformer.Serve(c.Transformer())
}
