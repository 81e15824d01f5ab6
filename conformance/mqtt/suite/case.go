// Package suite knows how a case of the conformance suite talks to a broker: it dials, sends bytes
// that no correct client would send, waits with a limit, notes what went over the wire, and leaves
// nothing behind.
//
// It does not know what a broker must do: that is in the packages of the cases. It knows no broker
// and no way to set one up.
package suite

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// The targets a case may ask for beside the one that is judged. A broker that can be configured
// shows there what it does when it is told to. Without such a target its cases are not run.
const (
	// Limited is a listener with Maximum QoS 0, without retained messages, wildcard and shared
	// subscriptions and subscription identifiers, with a Server Keep Alive of 5 s, a Receive
	// Maximum of 4, a Topic Alias Maximum of 4 and a Maximum Packet Size of 4096.
	Limited = "limited"
	// Guarded is a listener that lets in the user and password of Options alone and refuses what
	// they publish or subscribe to below DeniedTopic.
	Guarded = "guarded"
	// Enhanced is a listener that knows the authentication method EnhancedMethod alone.
	Enhanced = "enhanced"
)

// DeniedTopic is the level below which Guarded refuses to publish and to subscribe.
const DeniedTopic = "hpmq-conformance-denied"

// EnhancedMethod is an exchange of four steps: the client sends CONNECT with data "hello", the
// server AUTH with data "challenge", the client AUTH with data "response" (any other is refused),
// the server CONNACK with data "welcome". Re-authentication is the same with AUTH in place of
// CONNECT and of CONNACK.
const EnhancedMethod = "HPMQ-CONFORMANCE"

// Case is one thing that a server must do.
type Case struct {
	// Name is room/words-with-hyphens, unique.
	Name string
	// Claims are the statements that it judges, as "3.1.1/MQTT-3.1.0-2 5.0/MQTT-3.1.0-2".
	Claims string
	// Versions it runs for; nil for those of its claims, with 3.1 beside 3.1.1.
	Versions []mqtt.Version
	// Text says in one sentence what is done and what must be seen.
	Text string
	// Target is empty, or Limited, Guarded, Enhanced.
	Target string
	// WebSocket is true for a case that says something of ws and wss alone.
	WebSocket bool
	// Alone is true for a case that others running at the same time would disturb.
	Alone bool
	// Run judges. It returns, or ends by T.Fatalf or T.Skipf.
	Run func(t *T)
}

// Statements are the claims that a run with v judges.
func (c *Case) Statements(v mqtt.Version) []string {
	var ids []string
	for _, id := range strings.Fields(c.Claims) {
		if name, _, _ := strings.Cut(id, "/"); name == standard(v) {
			ids = append(ids, id)
		}
	}
	return ids
}

// standard is how the statements of a version begin. 3.1 has none with a number.
func standard(v mqtt.Version) string {
	switch v {
	case mqtt.V311:
		return "3.1.1"
	case mqtt.V5:
		return "5.0"
	}
	return "3.1"
}

// For are the versions that the case runs for.
func (c *Case) For() []mqtt.Version {
	if c.Versions != nil {
		return c.Versions
	}
	var vs []mqtt.Version
	for _, v := range []mqtt.Version{mqtt.V311, mqtt.V5} {
		if len(c.Statements(v)) > 0 {
			vs = append(vs, v)
		}
	}
	if slices.Contains(vs, mqtt.V311) {
		vs = append([]mqtt.Version{mqtt.V31}, vs...)
	}
	return vs
}

// Check says what is wrong with the cases themselves: names that stand twice, missing words.
func Check(cases []Case) error {
	seen := make(map[string]bool, len(cases))
	for i := range cases {
		c := &cases[i]
		switch {
		case c.Name == "" || c.Text == "" || c.Run == nil:
			return fmt.Errorf("suite: case %d %q lacks a name, a text or its code", i, c.Name)
		case seen[c.Name]:
			return fmt.Errorf("suite: case %s stands twice", c.Name)
		case len(c.For()) == 0:
			return fmt.Errorf("suite: case %s runs for no version", c.Name)
		}
		seen[c.Name] = true
	}
	return nil
}
