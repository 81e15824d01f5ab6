package enhanced

import (
	"testing"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/guest/go/authenticator"
)

func TestTheMethodIsThatOfTheSuite(t *testing.T) {
	if Method != suite.EnhancedMethod {
		t.Errorf("the suite authenticates by %s, the guest knows %s", suite.EnhancedMethod, Method)
	}
}

func TestTheExchange(t *testing.T) {
	for _, c := range []struct {
		method, data string
		step         uint32
		kind         authenticator.Kind
		answer       string
		reason       uint8
	}{
		{Method, "hello", 0, authenticator.KindChallenge, "challenge", 0},
		{Method, "response", 1, authenticator.KindAllow, "welcome", 0},
		{Method, "hello", 1, authenticator.KindDeny, "", authenticator.NotAuthorized},
		{Method, "response", 0, authenticator.KindDeny, "", authenticator.NotAuthorized},
		{Method, "response", 2, authenticator.KindDeny, "", authenticator.NotAuthorized},
		{Method, "", 0, authenticator.KindDeny, "", authenticator.NotAuthorized},
		{"PLAIN", "hello", 0, authenticator.KindDeny, "", authenticator.BadMethod},
		{"", "", 0, authenticator.KindDeny, "", authenticator.NotAuthorized},
	} {
		a := Exchange{}.Authenticate(&authenticator.Credentials{Method: c.method,
			Data: []byte(c.data), Step: c.step})
		got := string(a.Data) + string(a.Grant.Data)
		if a.Kind != c.kind || got != c.answer || a.Reason != c.reason {
			t.Errorf("%q %q step %d: got %d %q 0x%02X, want %d %q 0x%02X", c.method, c.data,
				c.step, a.Kind, got, a.Reason, c.kind, c.answer, c.reason)
		}
	}
}
