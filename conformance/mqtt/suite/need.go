package suite

import (
	"slices"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// NeedPacketBytes skips the case if the server does not take packets of n bytes.
func (t *T) NeedPacketBytes(n int) {
	if !t.TakesPacket(n) {
		t.Skipf("the server offers a Maximum Packet Size of %d, the case sends %d bytes",
			t.Server().PacketBytesMax, n)
	}
}

// TakesPacket is true if the server takes packets of n bytes.
func (t *T) TakesPacket(n int) bool {
	most := t.Server().PacketBytesMax
	return most == 0 || n <= int(most)
}

// Fits says whether a server may give the reason got where these are expected. Section 4.13.1 of
// 5.0 lets it say Malformed Packet or Protocol Error where a reason is named that says more, and
// the reasons that say nothing are for everything.
func Fits(got mqtt.ReasonCode, expected []mqtt.ReasonCode) bool {
	return slices.Contains(expected, got) || got == mqtt.MalformedPacket ||
		got == mqtt.ProtocolError || got == mqtt.UnspecifiedError ||
		got == mqtt.ImplementationSpecificError
}
