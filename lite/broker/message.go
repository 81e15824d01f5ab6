package broker

import "github.com/hpmq/hpmq/sdk/mqtt"

// Message is an application message on its way. Its bytes are borrowed from the packet it came in
// unless it was kept; a kept message never changes and may stand in many queues.
type Message struct {
	Topic   []byte
	Payload []byte
	// Props are the properties a receiver gets too: payload format, content type, response topic,
	// correlation data, user properties. Expiry is not among them, see Expire.
	Props mqtt.Props
	// From is the client id of the publisher, for No Local and sticky shares.
	From   string
	Expire Time // 0 for never
	// Trace is a number of the Policy's by which Kernel.OnTrace tells of the message, 0 for none.
	Trace  uint64
	QoS    mqtt.QoS
	Retain bool
	kept   bool
	origin PeerID // where it was published, and its number there
	num    uint64
}

// Keep answers a message whose bytes belong to it: m itself if they do already, a copy if not.
func (m *Message) Keep() *Message {
	if m.kept {
		return m
	}
	n := len(m.Topic) + len(m.Payload) + len(m.Props)
	buf := make([]byte, 0, n)
	c := *m
	buf = append(buf, m.Topic...)
	c.Topic = buf[:len(buf):len(buf)]
	at := len(buf)
	buf = append(buf, m.Payload...)
	c.Payload = buf[at:len(buf):len(buf)]
	at = len(buf)
	buf = append(buf, m.Props...)
	c.Props = mqtt.Props(buf[at:len(buf):len(buf)])
	c.kept = true
	return &c
}
