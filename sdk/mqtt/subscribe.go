package mqtt

// Subscription is one topic filter of a SUBSCRIBE with its options (section 3.8.3.1). Before 5.0
// there is only QoS.
type Subscription struct {
	Filter                     []byte
	QoS                        QoS
	NoLocal, RetainAsPublished bool
	RetainHandling             byte // 0 send retained, 1 if the subscription is new, 2 never
}

// Subscribe asks for subscriptions (section 3.8). Its bytes are borrowed from the decoded frame.
type Subscribe struct {
	PacketID uint16
	Props    Props
	list     []byte
}

// The subscription options.
const (
	optionQoS               = 3 << 0
	optionNoLocal           = 1 << 2
	optionRetainAsPublished = 1 << 3
	optionRetainHandling    = 3 << 4
	optionReserved          = 3 << 6

	optionRetainHandlingShift = 4
)

// sharePrefix begins the filter of a shared subscription [MQTT-4.8.2-1].
const sharePrefix = "$share/"

// Decode reads a SUBSCRIBE of version v. That wildcards stand in filters where they may is not
// checked here, so that a server can refuse a filter and not the packet.
func (p *Subscribe) Decode(v Version, frame []byte) error {
	*p = Subscribe{}
	r := openFixed(frame, SUBSCRIBE, v)
	p.PacketID = r.packetID()
	if v == V5 {
		p.Props, _ = r.props(SUBSCRIBE)
	}
	p.list = r.rest
	if len(p.list) == 0 {
		r.fail(errSubscribeNone)
	}
	for r.err == nil && len(r.rest) > 0 {
		filter := filterField(&r)
		checkOptions(&r, v, filter)
	}
	return r.end()
}

// filterField reads a topic filter [MQTT-3.8.3-1].
func filterField(r *reader) []byte {
	filter := r.text()
	if r.err == nil && len(filter) == 0 {
		r.fail(errNoFilter)
	}
	return filter
}

func checkOptions(r *reader, v Version, filter []byte) {
	o := r.byte()
	shared := len(filter) >= len(sharePrefix) && string(filter[:len(sharePrefix)]) == sharePrefix
	switch {
	case v != V5:
		if o > byte(ExactlyOnce) {
			r.fail(errOptions3)
		}
	case o&optionReserved != 0:
		r.fail(errOptions)
	case o&optionQoS == optionQoS:
		r.fail(errMaxQoS)
	case o&optionRetainHandling == optionRetainHandling:
		r.fail(errRetainHandling)
	case shared && o&optionNoLocal != 0:
		r.fail(errNoLocalShared)
	}
}

// Next answers the next subscription, false behind the last. It consumes; a copy of p taken before
// starts over.
func (p *Subscribe) Next() (Subscription, bool) {
	if len(p.list) == 0 {
		return Subscription{}, false
	}
	end := lengthAt(p.list, 0)
	o := p.list[end]
	s := Subscription{
		Filter:            p.list[2:end:end],
		QoS:               QoS(o & optionQoS),
		NoLocal:           o&optionNoLocal != 0, // always 0 before 5.0
		RetainAsPublished: o&optionRetainAsPublished != 0,
		RetainHandling:    o & optionRetainHandling >> optionRetainHandlingShift,
	}
	p.list = p.list[end+1:]
	return s, true
}

// AppendSubscribe appends a SUBSCRIBE of version v for list, which must not be empty
// [MQTT-3.8.3-2].
func AppendSubscribe(dst []byte, v Version, packetID uint16, props Props,
	list []Subscription) []byte {
	n := 2 + propsSize(props, v)
	for i := range list {
		n += 2 + len(list[i].Filter) + 1
	}
	dst = appendHeader(dst, byte(SUBSCRIBE)<<4|SUBSCRIBE.flags(), n)
	dst = appendUint16(dst, packetID)
	if v == V5 {
		dst = appendProps(dst, props)
	}
	for i := range list {
		dst = append(appendBinary(dst, list[i].Filter), list[i].options(v))
	}
	return dst
}

func (s *Subscription) options(v Version) byte {
	o := byte(s.QoS)
	if v != V5 {
		return o
	}
	if s.NoLocal {
		o |= optionNoLocal
	}
	if s.RetainAsPublished {
		o |= optionRetainAsPublished
	}
	return o | s.RetainHandling<<optionRetainHandlingShift
}
