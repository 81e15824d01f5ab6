package broker

import (
	"fmt"
	"testing"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// TestThinListenerEndsEvenly: in parts, and no connection of another listener.
func TestThinListenerEndsEvenly(t *testing.T) {
	k := New(Default(), nil, nil)
	gone := &Listener{Name: "gone", Limits: DefaultLimits()}
	stays := &Listener{Name: "stays", Limits: DefaultLimits()}
	var pipes []*pipe
	for i := range 10 {
		_, p := dial(t, k, gone, fmt.Sprintf("g%d", i), mqtt.V5)
		pipes = append(pipes, p)
		dial(t, k, stays, fmt.Sprintf("s%d", i), mqtt.V5)
	}
	closed := func() (n int) {
		for _, p := range pipes {
			if p.closed {
				n++
			}
		}
		return n
	}
	for parts, want := 4, []int{3, 6, 8, 10}; parts > 0; parts-- {
		left := k.ThinListener(2000, gone, parts, mqtt.UseAnotherServer)
		if got := closed(); got != want[4-parts] || left != 10-got {
			t.Errorf("parts %d: %d closed, %d left", parts, got, left)
		}
	}
	var d mqtt.Disconnect
	if err := d.Decode(mqtt.V5, pipes[0].buf); err != nil || d.Reason != mqtt.UseAnotherServer {
		t.Errorf("told %v, %v", d.Reason, err)
	}
	if n := k.Stats().Connections; n != 10 {
		t.Errorf("%d connections", n)
	}
}

// refuser is a Policy that lets nothing pass.
type refuser struct{ Policy }

func (refuser) Authorize(Time, *Identity, Action, []byte, mqtt.QoS) mqtt.ReasonCode {
	return mqtt.Success
}

func (refuser) Transform(Time, Direction, *Identity, *Message, *[]Message) Verdict { return Drop }

// TestForgottenListenerJudgesNobody: what comes for a session whose listener is no more is kept for
// its client.
func TestForgottenListenerJudgesNobody(t *testing.T) {
	k := New(Default(), nil, nil)
	l := &Listener{Name: "l", Limits: DefaultLimits(), Policy: refuser{}}
	open := &Listener{Name: "open", Limits: DefaultLimits()}
	pub, _ := dial(t, k, open, "pub", mqtt.V311)
	c := k.Open(1000, l, "127.0.0.1", &pipe{room: 1 << 20})
	hello := mqtt.Connect{Version: mqtt.V311, ClientID: []byte("sub")}
	k.Packet(1000, c, hello.Append(nil))
	subscribe(k, c, "a", 1)
	k.CloseListener(2000, l, mqtt.AdministrativeAction)
	for i, want := range []int{0, 1} {
		k.Packet(2000, pub, publish("a", 1, []byte("x")))
		if got := k.sessions["sub"].waiting(); got != want {
			t.Errorf("round %d: %d wait, want %d", i, got, want)
		}
		k.ForgetListener(l)
	}
}
