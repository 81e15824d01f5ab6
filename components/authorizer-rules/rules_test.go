package rules

import (
	"testing"

	"github.com/hpmq/hpmq/sdk/guest/go/guesttest"
)

func TestGolden(t *testing.T) {
	guesttest.Run(t, "testdata", func(_ *testing.T, _ *guesttest.Host) guesttest.Target {
		return guesttest.Authorizer(&Rules{})
	})
}
