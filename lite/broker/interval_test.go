package broker

import (
	"slices"
	"testing"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// haste is a Store that notes which kinds of ops were answered before they are safe.
type haste struct {
	ledger
	relaxed []OpKind
}

func (h *haste) Write(t Token, b *Batch) bool {
	for i := range b.Ops {
		if b.Relaxed {
			h.relaxed = append(h.relaxed, b.Ops[i].Kind)
		}
	}
	return h.ledger.Write(t, b)
}

// At durability interval a PUBLISH is answered before it is safe. A packet identifier is not: if a
// power cut took its release back, the next message under it would be taken for a repeat.
func TestAnIdentifierIsFreeWhenThatIsSafe(t *testing.T) {
	l := &Listener{Name: "t", Limits: DefaultLimits(), Durability: DurableInterval}
	cfg, kept := Default(), &haste{}
	cfg.Durable = true
	k := New(cfg, kept, nil)
	p := mqtt.Connect{Version: mqtt.V5, ClientID: []byte("a")}
	p.Props = p.Props.AppendUint32(mqtt.SessionExpiryInterval, 60)
	c := k.Open(0, l, "127.0.0.1", &pipe{room: 1 << 20})
	k.Packet(0, c, p.Append(nil))
	m := mqtt.Publish{Topic: []byte("t"), Payload: []byte("x"), QoS: 2, PacketID: 7}
	k.Packet(0, c, m.Append(nil, mqtt.V5))
	a := mqtt.Ack{Type: mqtt.PUBREL, PacketID: 7}
	k.Packet(0, c, a.Append(nil, mqtt.V5))
	released := slices.ContainsFunc(kept.ops, func(o Op) bool { return o.Kind == OpReleased })
	if !released || !slices.Contains(kept.relaxed, OpReceived) {
		t.Fatalf("kept %v, relaxed %v", kept.ops, kept.relaxed)
	}
	if slices.Contains(kept.relaxed, OpReleased) {
		t.Error("PUBCOMP does not wait for the device")
	}
}
