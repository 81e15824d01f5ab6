package mqtt

// Unsubscribe ends subscriptions (section 3.10). Its bytes are borrowed from the decoded frame.
type Unsubscribe struct {
	PacketID uint16
	Props    Props
	list     []byte
}

// Decode reads an UNSUBSCRIBE of version v. That wildcards stand in filters where they may is not
// checked here: a filter no subscription has is no error [MQTT-3.10.4-5].
func (p *Unsubscribe) Decode(v Version, frame []byte) error {
	*p = Unsubscribe{}
	r := openFixed(frame, UNSUBSCRIBE, v)
	p.PacketID = r.packetID()
	if v == V5 {
		p.Props, _ = r.props(UNSUBSCRIBE)
	}
	p.list = r.rest
	if len(p.list) == 0 {
		r.fail(errUnsubscribeNone)
	}
	for r.err == nil && len(r.rest) > 0 {
		filterField(&r)
	}
	return r.end()
}

// Next answers the next topic filter, false behind the last. It consumes; a copy of p taken before
// starts over.
func (p *Unsubscribe) Next() ([]byte, bool) {
	if len(p.list) == 0 {
		return nil, false
	}
	end := lengthAt(p.list, 0)
	filter := p.list[2:end:end]
	p.list = p.list[end:]
	return filter, true
}

// AppendUnsubscribe appends an UNSUBSCRIBE of version v for filters, which must not be empty
// [MQTT-3.10.3-2].
func AppendUnsubscribe(dst []byte, v Version, packetID uint16, props Props,
	filters [][]byte) []byte {
	n := 2 + propsSize(props, v)
	for _, f := range filters {
		n += 2 + len(f)
	}
	dst = appendHeader(dst, byte(UNSUBSCRIBE)<<4|UNSUBSCRIBE.flags(), n)
	dst = appendUint16(dst, packetID)
	if v == V5 {
		dst = appendProps(dst, props)
	}
	for _, f := range filters {
		dst = appendBinary(dst, f)
	}
	return dst
}
