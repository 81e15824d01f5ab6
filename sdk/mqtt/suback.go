package mqtt

import "unsafe"

// Suback answers SUBSCRIBE (section 3.9).
type Suback struct {
	PacketID uint16
	Props    Props
	// Reasons has one code for each filter, in their order [MQTT-3.9.3-1].
	Reasons []ReasonCode
}

// Decode reads a SUBACK of version v. Props and Reasons are borrowed from frame.
func (p *Suback) Decode(v Version, frame []byte) error {
	*p = Suback{}
	r := openFixed(frame, SUBACK, v)
	p.PacketID = r.packetID()
	if v == V5 {
		p.Props, _ = r.props(SUBACK)
	}
	p.Reasons = r.reasons()
	if len(p.Reasons) == 0 {
		r.fail(errSubackReason)
	}
	for _, c := range p.Reasons {
		if !c.In(SUBACK) || v != V5 && c > UnspecifiedError {
			r.fail(errSubackReason)
		}
	}
	return r.end()
}

// reasons takes what is left as reason codes.
func (r *reader) reasons() []ReasonCode {
	if len(r.rest) == 0 {
		return nil
	}
	b := r.rest
	r.rest = nil
	// A ReasonCode is a byte, so this is the same memory under its other name.
	return unsafe.Slice((*ReasonCode)(unsafe.SliceData(b)), len(b))
}

// Append appends the packet in version v. Before 5.0 every failure is 0x80 [MQTT-3.9.3-2 (3.1.1)].
func (p *Suback) Append(dst []byte, v Version) []byte {
	dst = appendHeader(dst, byte(SUBACK)<<4, 2+propsSize(p.Props, v)+len(p.Reasons))
	dst = appendUint16(dst, p.PacketID)
	if v == V5 {
		dst = appendProps(dst, p.Props)
	}
	for _, c := range p.Reasons {
		if v != V5 && c.Failed() {
			c = UnspecifiedError
		}
		dst = append(dst, byte(c))
	}
	return dst
}
