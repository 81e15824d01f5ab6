package mqtt

// PropID is a property identifier (section 2.2.2.2).
type PropID byte

// The properties of MQTT 5.0.
const (
	PayloadFormatIndicator          PropID = 1
	MessageExpiryInterval           PropID = 2
	ContentType                     PropID = 3
	ResponseTopic                   PropID = 8
	CorrelationData                 PropID = 9
	SubscriptionIdentifier          PropID = 11
	SessionExpiryInterval           PropID = 17
	AssignedClientIdentifier        PropID = 18
	ServerKeepAlive                 PropID = 19
	AuthenticationMethod            PropID = 21
	AuthenticationData              PropID = 22
	RequestProblemInformation       PropID = 23
	WillDelayInterval               PropID = 24
	RequestResponseInformation      PropID = 25
	ResponseInformation             PropID = 26
	ServerReference                 PropID = 28
	ReasonString                    PropID = 31
	ReceiveMaximum                  PropID = 33
	TopicAliasMaximum               PropID = 34
	TopicAlias                      PropID = 35
	MaximumQoS                      PropID = 36
	RetainAvailable                 PropID = 37
	UserProperty                    PropID = 38
	MaximumPacketSize               PropID = 39
	WildcardSubscriptionAvailable   PropID = 40
	SubscriptionIdentifierAvailable PropID = 41
	SharedSubscriptionAvailable     PropID = 42
)

// String is the name of the property as in the standard.
func (id PropID) String() string {
	if int(id) < len(props) && props[id].name != "" {
		return props[id].name
	}
	return "Unknown"
}

// propKind is how the value of a property is written.
type propKind byte

const (
	kindNone propKind = iota
	kindByte
	kindUint16
	kindUint32
	kindVarInt
	kindText
	kindBinary
	kindPair
)

// propRule is what the value of a property must be beyond its kind.
type propRule byte

const (
	ruleNone  propRule = iota
	ruleBool           // 0 or 1
	ruleSome           // not zero
	ruleAlias          // not zero, by a reason code of its own
	ruleName           // a topic name without wildcards
)

// willProps stands for the properties of a will where a packet type is asked for; 0 is no packet
// type.
const willProps Type = 0

// Sets of packets, as bits. inPublish are PUBLISH and will.
const (
	inWill      = 1 << willProps
	inConnect   = 1 << CONNECT
	inPublish   = 1<<PUBLISH | inWill
	inSubscribe = 1 << SUBSCRIBE
	inOpening   = inConnect | inConnack
	inExchange  = inOpening | inAuth
	inReasons   = inConnack | inPubs | inRels | inSuback | inUnsuback | inDisconnect | inAuth
	inAll       = inReasons | inConnect | inPublish | inSubscribe | 1<<UNSUBSCRIBE
)

// propInfo is a row of table 2-4 of the standard.
type propInfo struct {
	name    string
	in      uint16 // the packets it may stand in
	kind    propKind
	rule    propRule
	forward bool // a server passes it on with the message
}

// props is read only.
var props = [43]propInfo{
	PayloadFormatIndicator: {"Payload Format Indicator", inPublish, kindByte, ruleBool, true},
	MessageExpiryInterval:  {"Message Expiry Interval", inPublish, kindUint32, ruleNone, false},
	ContentType:            {"Content Type", inPublish, kindText, ruleNone, true},
	ResponseTopic:          {"Response Topic", inPublish, kindText, ruleName, true},
	CorrelationData:        {"Correlation Data", inPublish, kindBinary, ruleNone, true},
	SubscriptionIdentifier: {"Subscription Identifier",
		1<<PUBLISH | inSubscribe, kindVarInt, ruleSome, false},
	SessionExpiryInterval: {"Session Expiry Interval",
		inOpening | inDisconnect, kindUint32, ruleNone, false},
	AssignedClientIdentifier: {"Assigned Client Identifier", inConnack, kindText, ruleNone, false},
	ServerKeepAlive:          {"Server Keep Alive", inConnack, kindUint16, ruleNone, false},
	AuthenticationMethod:     {"Authentication Method", inExchange, kindText, ruleNone, false},
	AuthenticationData:       {"Authentication Data", inExchange, kindBinary, ruleNone, false},
	RequestProblemInformation: {"Request Problem Information",
		inConnect, kindByte, ruleBool, false},
	WillDelayInterval: {"Will Delay Interval", inWill, kindUint32, ruleNone, false},
	RequestResponseInformation: {"Request Response Information",
		inConnect, kindByte, ruleBool, false},
	ResponseInformation: {"Response Information", inConnack, kindText, ruleNone, false},
	ServerReference:     {"Server Reference", inBoth, kindText, ruleNone, false},
	ReasonString:        {"Reason String", inReasons, kindText, ruleNone, false},
	ReceiveMaximum:      {"Receive Maximum", inOpening, kindUint16, ruleSome, false},
	TopicAliasMaximum:   {"Topic Alias Maximum", inOpening, kindUint16, ruleNone, false},
	TopicAlias:          {"Topic Alias", 1 << PUBLISH, kindUint16, ruleAlias, false},
	MaximumQoS:          {"Maximum QoS", inConnack, kindByte, ruleBool, false},
	RetainAvailable:     {"Retain Available", inConnack, kindByte, ruleBool, false},
	UserProperty:        {"User Property", inAll, kindPair, ruleNone, true},
	MaximumPacketSize:   {"Maximum Packet Size", inOpening, kindUint32, ruleSome, false},
	WildcardSubscriptionAvailable: {"Wildcard Subscription Available",
		inConnack, kindByte, ruleBool, false},
	SubscriptionIdentifierAvailable: {"Subscription Identifier Available",
		inConnack, kindByte, ruleBool, false},
	SharedSubscriptionAvailable: {"Shared Subscription Available",
		inConnack, kindByte, ruleBool, false},
}
