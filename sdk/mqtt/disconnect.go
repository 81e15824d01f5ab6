package mqtt

// Disconnect is the last packet of a connection (section 3.14). A server sends it in 5.0 only.
type Disconnect struct {
	Reason ReasonCode // 5.0 only, NormalDisconnection before
	Props  Props
}

// Decode reads a DISCONNECT of version v. Props are borrowed from frame. That a server sends no
// session expiry interval [MQTT-3.14.2-2] is not checked here.
func (p *Disconnect) Decode(v Version, frame []byte) error {
	*p = Disconnect{}
	r := openFixed(frame, DISCONNECT, v)
	if v == V5 && len(r.rest) > 0 { // else the reason is NormalDisconnection
		p.Reason = ReasonCode(r.byte())
		if err := checkReason(p.Reason, DISCONNECT, errDisconnectReason); err != nil {
			r.fail(err)
		}
		if len(r.rest) > 0 { // else there are no properties
			p.Props, _ = r.props(DISCONNECT)
		}
	}
	return r.end()
}

// Append appends the packet in version v, in its shortest form.
func (p *Disconnect) Append(dst []byte, v Version) []byte {
	const first = byte(DISCONNECT) << 4
	switch {
	case v != V5 || p.Reason == NormalDisconnection && len(p.Props) == 0:
		return append(dst, first, 0)
	case len(p.Props) == 0:
		return append(dst, first, 1, byte(p.Reason))
	}
	dst = appendHeader(dst, first, 1+propsSize(p.Props, v))
	return appendProps(append(dst, byte(p.Reason)), p.Props)
}
