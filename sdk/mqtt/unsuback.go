package mqtt

// Unsuback answers UNSUBSCRIBE (section 3.11).
type Unsuback struct {
	PacketID uint16
	Props    Props
	// Reasons has one code for each filter, in their order [MQTT-3.11.3-1]; none before 5.0.
	Reasons []ReasonCode
}

// Decode reads an UNSUBACK of version v. Props and Reasons are borrowed from frame.
func (p *Unsuback) Decode(v Version, frame []byte) error {
	*p = Unsuback{}
	r := openFixed(frame, UNSUBACK, v)
	p.PacketID = r.packetID()
	if v != V5 {
		return r.end()
	}
	p.Props, _ = r.props(UNSUBACK)
	p.Reasons = r.reasons()
	if len(p.Reasons) == 0 {
		r.fail(errUnsubackReason)
	}
	for _, c := range p.Reasons {
		if !c.In(UNSUBACK) {
			r.fail(errUnsubackReason)
		}
	}
	return r.end()
}

// Append appends the packet in version v.
func (p *Unsuback) Append(dst []byte, v Version) []byte {
	if v != V5 {
		return appendUint16(append(dst, byte(UNSUBACK)<<4, 2), p.PacketID)
	}
	dst = appendHeader(dst, byte(UNSUBACK)<<4, 2+propsSize(p.Props, v)+len(p.Reasons))
	dst = appendProps(appendUint16(dst, p.PacketID), p.Props)
	for _, c := range p.Reasons {
		dst = append(dst, byte(c))
	}
	return dst
}
