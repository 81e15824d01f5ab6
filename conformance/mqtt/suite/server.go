package suite

import "github.com/hpmq/hpmq/sdk/mqtt"

// Server is what a server said of itself in CONNACK [MQTT5 3.2.2.3], with the standard's value for
// what it left out.
type Server struct {
	QoSMax            mqtt.QoS
	Retain            bool
	Wildcard          bool
	Shared            bool
	Identifiers       bool
	ReceiveMax        uint16
	TopicAliasMax     uint16
	PacketBytesMax    uint32 // 0: no limit
	KeepAlive         uint16 // Server Keep Alive; 0: not said
	SpeaksV5          bool
	AssignedID        string
	SessionExpiry     uint32
	SessionExpirySaid bool
}

func everything() *Server {
	return &Server{QoSMax: mqtt.ExactlyOnce, Retain: true, Wildcard: true, Shared: true,
		Identifiers: true, ReceiveMax: 65535}
}

// ServerOf reads a CONNACK of 5.0.
func ServerOf(p mqtt.Props) *Server {
	s := everything()
	s.SpeaksV5 = true
	if v, ok := p.Byte(mqtt.MaximumQoS); ok {
		s.QoSMax = mqtt.QoS(v)
	}
	for id, field := range map[mqtt.PropID]*bool{
		mqtt.RetainAvailable:                 &s.Retain,
		mqtt.WildcardSubscriptionAvailable:   &s.Wildcard,
		mqtt.SharedSubscriptionAvailable:     &s.Shared,
		mqtt.SubscriptionIdentifierAvailable: &s.Identifiers,
	} {
		if v, ok := p.Byte(id); ok {
			*field = v != 0
		}
	}
	if v, ok := p.Uint16(mqtt.ReceiveMaximum); ok {
		s.ReceiveMax = v
	}
	s.TopicAliasMax, _ = p.Uint16(mqtt.TopicAliasMaximum)
	s.PacketBytesMax, _ = p.Uint32(mqtt.MaximumPacketSize)
	s.KeepAlive, _ = p.Uint16(mqtt.ServerKeepAlive)
	s.SessionExpiry, s.SessionExpirySaid = p.Uint32(mqtt.SessionExpiryInterval)
	id, _ := p.Bytes(mqtt.AssignedClientIdentifier)
	s.AssignedID = string(id)
	return s
}
