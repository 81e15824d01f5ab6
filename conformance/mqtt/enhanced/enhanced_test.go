package enhanced

import (
	"testing"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/guest/go/guesttest"
)

func TestTheMethodIsThatOfTheSuite(t *testing.T) {
	if Method != suite.EnhancedMethod {
		t.Errorf("the suite authenticates by %s, the guest knows %s", suite.EnhancedMethod, Method)
	}
}

func TestGolden(t *testing.T) {
	guesttest.Run(t, "testdata", func(_ *testing.T, _ *guesttest.Host) guesttest.Target {
		return guesttest.Authenticator(Exchange{})
	})
}
