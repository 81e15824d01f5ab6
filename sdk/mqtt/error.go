package mqtt

// Error says why bytes are not a packet. All values are made once and never change; an *Error may
// be kept and compared.
type Error struct {
	// Reason is what a 5.0 peer is told in CONNACK or DISCONNECT [MQTT-4.13.1-1].
	Reason ReasonCode
	// Clause is the broken statement, as "MQTT-3.3.1-4", or a section, as "section 2.2.2.2", where
	// the standard has no number for it.
	Clause string
	// Text is the reason in words.
	Text string
}

// Error is the text with its clause.
func (e *Error) Error() string { return "mqtt: " + e.Text + " [" + e.Clause + "]" }

// The values of Error, in the order of the standard. They are read only.
var (
	errTextUTF8    = &Error{MalformedPacket, "MQTT-1.5.4-1", "string is not well-formed UTF-8"}
	errTextNull    = &Error{MalformedPacket, "MQTT-1.5.4-2", "string holds U+0000"}
	errVarInt      = &Error{MalformedPacket, "section 1.5.5", "integer of over four bytes"}
	errVarIntShort = &Error{MalformedPacket, "MQTT-1.5.5-1",
		"integer is not in its fewest bytes"}

	errType     = &Error{MalformedPacket, "section 2.1.2", "reserved packet type"}
	errNotThis  = &Error{ProtocolError, "section 2.1.2", "packet is of another type"}
	errNotThree = &Error{ProtocolError, "section 2.1.2", "AUTH is not a packet of this version"}
	errFlags    = &Error{MalformedPacket, "MQTT-2.1.3-1", "reserved flags are set"}
	errLength   = &Error{MalformedPacket, "section 2.1.4", "remaining length does not fit"}
	errTooLarge = &Error{PacketTooLarge, "MQTT-3.2.2-15", "packet is too large"}
	errShort    = &Error{MalformedPacket, "section 2.1.4", "packet ends inside a field"}
	errTrailing = &Error{MalformedPacket, "section 2.1.4", "bytes behind the last field"}
	errPacketID = &Error{MalformedPacket, "MQTT-2.2.1-3", "packet identifier is zero"}

	errPropLength  = &Error{MalformedPacket, "section 2.2.2.1", "properties end inside a property"}
	errPropUnknown = &Error{MalformedPacket, "section 2.2.2.2", "unknown property"}
	errPropPlace   = &Error{MalformedPacket, "section 2.2.2.2", "property of other packets"}
	errPropTwice   = &Error{ProtocolError, "section 2.2.2.2", "property stands twice"}
	errPropBool    = &Error{ProtocolError, "section 2.2.2.2", "property is neither 0 nor 1"}
	errPropZero    = &Error{ProtocolError, "section 2.2.2.2", "property must not be zero"}

	errProtocol  = &Error{UnsupportedProtocolVersion, "MQTT-3.1.2-1", "unknown protocol name"}
	errVersion   = &Error{UnsupportedProtocolVersion, "MQTT-3.1.2-2", "unsupported version"}
	errReserved  = &Error{MalformedPacket, "MQTT-3.1.2-3", "reserved connect flag is set"}
	errWillQoS0  = &Error{MalformedPacket, "MQTT-3.1.2-11", "will QoS without a will"}
	errWillQoS   = &Error{MalformedPacket, "MQTT-3.1.2-12", "will QoS is 3"}
	errWillFlag  = &Error{MalformedPacket, "MQTT-3.1.2-13", "will retain without a will"}
	errPassword3 = &Error{MalformedPacket, "MQTT-3.1.2-22 (3.1.1)", "password without user name"}
	errAuthData  = &Error{ProtocolError, "section 3.1.2.11.10",
		"authentication data without authentication method"}

	errAckFlags       = &Error{MalformedPacket, "MQTT-3.2.2-1", "reserved flags are set"}
	errSessionPresent = &Error{ProtocolError, "MQTT-3.2.2-6", "session present with a failure"}
	errReturnCode     = &Error{ProtocolError, "section 3.2.2.3 (3.1.1)", "reserved return code"}

	errDupQoS0    = &Error{MalformedPacket, "MQTT-3.3.1-2", "DUP at QoS 0"}
	errQoS3       = &Error{MalformedPacket, "MQTT-3.3.1-4", "QoS is 3"}
	errWildcard   = &Error{TopicNameInvalid, "MQTT-3.3.2-2", "topic name with a wildcard"}
	errAliasZero  = &Error{TopicAliasInvalid, "MQTT-3.3.2-8", "topic alias is zero"}
	errResponse   = &Error{ProtocolError, "MQTT-3.3.2-14", "response topic with a wildcard"}
	errNoResponse = &Error{ProtocolError, "MQTT-4.7.3-1", "empty response topic"}
	errNoTopic    = &Error{ProtocolError, "section 3.3.2.1", "empty topic name without topic alias"}
	errNoName     = &Error{TopicNameInvalid, "MQTT-4.7.3-1", "empty topic name"}

	errSubscribeNone  = &Error{ProtocolError, "MQTT-3.8.3-2", "SUBSCRIBE without filter"}
	errNoLocalShared  = &Error{ProtocolError, "MQTT-3.8.3-4", "No Local on a shared subscription"}
	errOptions        = &Error{MalformedPacket, "MQTT-3.8.3-5", "reserved option is set"}
	errMaxQoS         = &Error{ProtocolError, "section 3.8.3.1", "subscription with QoS 3"}
	errRetainHandling = &Error{ProtocolError, "section 3.8.3.1", "retain handling is 3"}
	errOptions3       = &Error{MalformedPacket, "MQTT-3.8.3-4 (3.1.1)",
		"requested QoS is not 0, 1 or 2"}
	errNoFilter = &Error{MalformedPacket, "MQTT-4.7.3-1", "empty topic filter"}

	errUnsubscribeNone = &Error{ProtocolError, "MQTT-3.10.3-2", "UNSUBSCRIBE without filter"}
	errAuthMethod      = &Error{ProtocolError, "section 3.15.2.2.2", "no authentication method"}

	errConnackReason    = &Error{ProtocolError, "MQTT-3.2.2-8", "reason code is none of CONNACK"}
	errPubackReason     = &Error{ProtocolError, "MQTT-3.4.2-1", "reason code is none of PUBACK"}
	errPubrecReason     = &Error{ProtocolError, "MQTT-3.5.2-1", "reason code is none of PUBREC"}
	errPubrelReason     = &Error{ProtocolError, "MQTT-3.6.2-1", "reason code is none of PUBREL"}
	errPubcompReason    = &Error{ProtocolError, "MQTT-3.7.2-1", "reason code is none of PUBCOMP"}
	errSubackReason     = &Error{ProtocolError, "MQTT-3.9.3-2", "reason code is none of SUBACK"}
	errUnsubackReason   = &Error{ProtocolError, "MQTT-3.11.3-2", "reason code is none of UNSUBACK"}
	errDisconnectReason = &Error{ProtocolError, "MQTT-3.14.2-1",
		"reason code is none of DISCONNECT"}
	errAuthReason = &Error{ProtocolError, "MQTT-3.15.2-1", "reason code is none of AUTH"}
)
