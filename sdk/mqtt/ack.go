package mqtt

// Ack is PUBACK, PUBREC, PUBREL or PUBCOMP (sections 3.4 to 3.7), which differ in type and reason
// codes.
type Ack struct {
	Type     Type
	PacketID uint16
	Reason   ReasonCode // 5.0 only, Success before
	Props    Props
}

// Decode reads an acknowledgement of version v; Type says which. Props are borrowed from frame.
func (p *Ack) Decode(v Version, frame []byte) error {
	*p = Ack{}
	if len(frame) == 0 {
		return errShort
	}
	fault := ackFault(TypeOf(frame))
	if fault == nil {
		return errNotThis
	}
	p.Type = TypeOf(frame)
	r := openFixed(frame, p.Type, v)
	p.PacketID = r.packetID()
	if v == V5 && len(r.rest) > 0 { // else the reason is Success
		p.Reason = ReasonCode(r.byte())
		if err := checkReason(p.Reason, p.Type, fault); err != nil {
			r.fail(err)
		}
		if len(r.rest) > 0 { // else there are no properties
			p.Props, _ = r.props(p.Type)
		}
	}
	return r.end()
}

// ackFault is the error for a reason code that type t does not have, nil if t is no
// acknowledgement.
func ackFault(t Type) *Error {
	switch t {
	case PUBACK:
		return errPubackReason
	case PUBREC:
		return errPubrecReason
	case PUBREL:
		return errPubrelReason
	case PUBCOMP:
		return errPubcompReason
	}
	return nil
}

// Append appends the packet in version v, in its shortest form: without properties if there are
// none, without reason code too if it is Success.
func (p *Ack) Append(dst []byte, v Version) []byte {
	first := byte(p.Type)<<4 | p.Type.flags()
	high, low := byte(p.PacketID>>8), byte(p.PacketID)
	switch {
	case v != V5 || p.Reason == Success && len(p.Props) == 0:
		return append(dst, first, 2, high, low)
	case len(p.Props) == 0:
		return append(dst, first, 3, high, low, byte(p.Reason))
	}
	dst = appendHeader(dst, first, 3+propsSize(p.Props, v))
	return appendProps(append(dst, high, low, byte(p.Reason)), p.Props)
}
