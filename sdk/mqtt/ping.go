package mqtt

// Ping is PINGREQ or PINGRESP (sections 3.12 and 3.13).
type Ping struct {
	Type Type
}

// Decode reads a PINGREQ or PINGRESP of version v; Type says which.
func (p *Ping) Decode(v Version, frame []byte) error {
	*p = Ping{}
	if len(frame) == 0 {
		return errShort
	}
	if t := TypeOf(frame); t != PINGREQ && t != PINGRESP {
		return errNotThis
	}
	p.Type = TypeOf(frame)
	r := openFixed(frame, p.Type, v)
	return r.end()
}

// Append appends the packet, which is the same in all versions.
func (p *Ping) Append(dst []byte, _ Version) []byte { return append(dst, byte(p.Type)<<4, 0) }
