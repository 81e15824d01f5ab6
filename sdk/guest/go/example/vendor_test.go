package vendor

import (
	"testing"

	"github.com/hpmq/hpmq/sdk/guest/go/guesttest"
)

func TestGolden(t *testing.T) {
	guesttest.Run(t, "../../example/cases", func(_ *testing.T, h *guesttest.Host) guesttest.Target {
		c := Conversion()
		c.History = h
		return guesttest.Transformer(c.Transformer())
	})
}
