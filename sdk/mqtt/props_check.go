package mqtt

// check says whether p are properties that a packet of type in may have, each at most once but user
// properties, and the subscription identifiers of PUBLISH. seen has a bit for each there is.
func (p Props) check(in Type) (seen uint64, err *Error) {
	for len(p) > 0 {
		if int(p[0]) >= len(props) || props[p[0]].kind == kindNone {
			return 0, errPropUnknown
		}
		if props[p[0]].in&(1<<in) == 0 {
			return 0, errPropPlace
		}
		id, value, rest, ok := p.next()
		if !ok {
			return 0, errPropLength
		}
		bit := uint64(1) << id
		if seen&bit != 0 && id != UserProperty && (id != SubscriptionIdentifier || in != PUBLISH) {
			return 0, errPropTwice
		}
		if err := checkValue(id, value); err != nil {
			return 0, err
		}
		seen |= bit
		p = rest
	}
	return seen, nil
}

// checkValue says whether value is one that property id may have.
func checkValue(id PropID, value []byte) *Error {
	info := &props[id]
	switch info.kind {
	case kindVarInt:
		if len(value) > 1 && value[len(value)-1] == 0 {
			return errVarIntShort
		}
	case kindText:
		if err := checkText(value); err != nil {
			return err
		}
	case kindPair: // [MQTT-1.5.7-1]
		n := lengthAt(value, 0)
		if err := checkText(value[2:n]); err != nil {
			return err
		}
		return checkText(value[n+2:])
	}
	return info.rule.check(value)
}

func (r propRule) check(value []byte) *Error {
	switch {
	case r == ruleBool && value[0] > 1:
		return errPropBool
	case r == ruleSome && allZero(value):
		return errPropZero
	case r == ruleAlias && allZero(value):
		return errAliasZero
	case r == ruleName && hasWildcard(value):
		return errResponse
	case r == ruleName && len(value) == 0:
		return errNoResponse
	}
	return nil
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
