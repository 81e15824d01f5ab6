package mqtt

// Connack is the answer of a server to CONNECT (section 3.2).
type Connack struct {
	SessionPresent bool
	// Reason stands for the return code before 5.0, see ReasonCode.Connack3.
	Reason ReasonCode
	Props  Props
}

// Decode reads a CONNACK of version v. Props are borrowed from frame.
func (p *Connack) Decode(v Version, frame []byte) error {
	*p = Connack{}
	r := openFixed(frame, CONNACK, v)
	flags, code := r.byte(), r.byte()
	if v != V31 { // the byte was unused
		p.SessionPresent = flags&1 != 0
		if flags > 1 {
			r.fail(errAckFlags)
		}
	}
	if v == V5 {
		p.Reason = ReasonCode(code)
		if err := checkReason(p.Reason, CONNACK, errConnackReason); err != nil {
			r.fail(err)
		}
		p.Props, _ = r.props(CONNACK)
	} else if int(code) < len(connack5) {
		p.Reason = connack5[code]
	} else {
		r.fail(errReturnCode)
	}
	if p.SessionPresent && p.Reason != Success {
		r.fail(errSessionPresent)
	}
	return r.end()
}

// Append appends the packet in version v.
func (p *Connack) Append(dst []byte, v Version) []byte {
	dst = appendHeader(dst, byte(CONNACK)<<4, 2+propsSize(p.Props, v))
	var flags byte
	if p.SessionPresent && v != V31 {
		flags = 1
	}
	if v != V5 {
		return append(dst, flags, p.Reason.Connack3())
	}
	return appendProps(append(dst, flags, byte(p.Reason)), p.Props)
}
