package gate

// stage stands between a socket and the framing, for what is not plain MQTT on the wire: TLS
// records, WebSocket frames. It belongs to one connection and its loop. A handshake that must
// wait is done before, by the goroutine that accepts (see listener.admit).
type stage interface {
	// in takes raw bytes, borrowed until return: it calls c.receive with what they carry and c.wire
	// with what must be answered. An error closes c.
	in(c *Conn, raw []byte) error
	// out appends to dst what carries plain on the wire.
	out(dst, plain []byte) ([]byte, error)
	// bye appends to dst what ends the conversation.
	bye(dst []byte) []byte
}
