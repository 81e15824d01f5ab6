package mqtt

// Auth is a step of an extended authentication (section 3.15), 5.0 only.
type Auth struct {
	Reason ReasonCode // Success, ContinueAuthentication or ReAuthenticate
	Props  Props
}

// Decode reads an AUTH of version v, which must be V5. Props are borrowed from frame.
func (p *Auth) Decode(v Version, frame []byte) error {
	*p = Auth{}
	if v != V5 {
		return errNotThree
	}
	r := openFixed(frame, AUTH, v)
	if r.err != nil || len(r.rest) == 0 { // empty: Success, no properties
		return r.end()
	}
	p.Reason = ReasonCode(r.byte())
	if err := checkReason(p.Reason, AUTH, errAuthReason); err != nil {
		r.fail(err)
	}
	var seen uint64
	p.Props, seen = r.props(AUTH)
	if seen&(1<<AuthenticationMethod) == 0 {
		r.fail(errAuthMethod)
	}
	return r.end()
}

// Append appends the packet, in its shortest form. v is V5.
func (p *Auth) Append(dst []byte, _ Version) []byte {
	const first = byte(AUTH) << 4
	if p.Reason == Success && len(p.Props) == 0 {
		return append(dst, first, 0)
	}
	dst = appendHeader(dst, first, 1+propsSize(p.Props, V5))
	return appendProps(append(dst, byte(p.Reason)), p.Props)
}
