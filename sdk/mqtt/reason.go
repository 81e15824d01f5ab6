package mqtt

// ReasonCode is the outcome of an operation (section 2.4). Below 0x80 it succeeded.
type ReasonCode byte

// The reason codes of MQTT 5.0.
const (
	Success                             ReasonCode = 0x00
	NormalDisconnection                 ReasonCode = 0x00
	GrantedQoS0                         ReasonCode = 0x00
	GrantedQoS1                         ReasonCode = 0x01
	GrantedQoS2                         ReasonCode = 0x02
	DisconnectWithWillMessage           ReasonCode = 0x04
	NoMatchingSubscribers               ReasonCode = 0x10
	NoSubscriptionExisted               ReasonCode = 0x11
	ContinueAuthentication              ReasonCode = 0x18
	ReAuthenticate                      ReasonCode = 0x19
	UnspecifiedError                    ReasonCode = 0x80
	MalformedPacket                     ReasonCode = 0x81
	ProtocolError                       ReasonCode = 0x82
	ImplementationSpecificError         ReasonCode = 0x83
	UnsupportedProtocolVersion          ReasonCode = 0x84
	ClientIdentifierNotValid            ReasonCode = 0x85
	BadUserNameOrPassword               ReasonCode = 0x86
	NotAuthorized                       ReasonCode = 0x87
	ServerUnavailable                   ReasonCode = 0x88
	ServerBusy                          ReasonCode = 0x89
	Banned                              ReasonCode = 0x8A
	ServerShuttingDown                  ReasonCode = 0x8B
	BadAuthenticationMethod             ReasonCode = 0x8C
	KeepAliveTimeout                    ReasonCode = 0x8D
	SessionTakenOver                    ReasonCode = 0x8E
	TopicFilterInvalid                  ReasonCode = 0x8F
	TopicNameInvalid                    ReasonCode = 0x90
	PacketIdentifierInUse               ReasonCode = 0x91
	PacketIdentifierNotFound            ReasonCode = 0x92
	ReceiveMaximumExceeded              ReasonCode = 0x93
	TopicAliasInvalid                   ReasonCode = 0x94
	PacketTooLarge                      ReasonCode = 0x95
	MessageRateTooHigh                  ReasonCode = 0x96
	QuotaExceeded                       ReasonCode = 0x97
	AdministrativeAction                ReasonCode = 0x98
	PayloadFormatInvalid                ReasonCode = 0x99
	RetainNotSupported                  ReasonCode = 0x9A
	QoSNotSupported                     ReasonCode = 0x9B
	UseAnotherServer                    ReasonCode = 0x9C
	ServerMoved                         ReasonCode = 0x9D
	SharedSubscriptionsNotSupported     ReasonCode = 0x9E
	ConnectionRateExceeded              ReasonCode = 0x9F
	MaximumConnectTime                  ReasonCode = 0xA0
	SubscriptionIdentifiersNotSupported ReasonCode = 0xA1
	WildcardSubscriptionsNotSupported   ReasonCode = 0xA2
)

// Failed says whether the operation did not succeed.
func (r ReasonCode) Failed() bool { return r >= 0x80 }

// String is the name of the code as in the standard, "Unknown" for one it does not have. Code 0x00
// is "Success" in every packet.
func (r ReasonCode) String() string {
	if row := reasons[r]; row.name != "" {
		return row.name
	}
	return "Unknown"
}

// In says whether the standard has r for packets of type t.
func (r ReasonCode) In(t Type) bool { return reasons[r].in&(1<<t) != 0 }

// Connack3 is the return code of a 3.1 or 3.1.1 CONNACK nearest to r, 0 to 5 (3.1.1 section
// 3.2.2.3). Where none fits, as for a malformed packet, a server closes without CONNACK
// [MQTT-3.2.2-6 (3.1.1)]; for these the answer is 3, server unavailable.
func (r ReasonCode) Connack3() byte {
	switch r {
	case UnsupportedProtocolVersion:
		return 1
	case ClientIdentifierNotValid:
		return 2
	case BadUserNameOrPassword:
		return 4
	case NotAuthorized, Banned, BadAuthenticationMethod, TopicNameInvalid,
		RetainNotSupported, QoSNotSupported:
		return 5
	}
	if r.Failed() {
		return 3
	}
	return 0
}

// connack5 has the reason code for each return code of 3.1 and 3.1.1. It is read only.
var connack5 = [6]ReasonCode{
	Success, UnsupportedProtocolVersion, ClientIdentifierNotValid,
	ServerUnavailable, BadUserNameOrPassword, NotAuthorized,
}

// checkReason answers fault if r is not a code of packets of type t.
func checkReason(r ReasonCode, t Type, fault *Error) *Error {
	if r.In(t) {
		return nil
	}
	return fault
}

// Sets of packet types, as bits.
const (
	inConnack    = 1 << CONNACK
	inPubs       = 1<<PUBACK | 1<<PUBREC
	inRels       = 1<<PUBREL | 1<<PUBCOMP
	inSuback     = 1 << SUBACK
	inUnsuback   = 1 << UNSUBACK
	inDisconnect = 1 << DISCONNECT
	inAuth       = 1 << AUTH
	inBoth       = inConnack | inDisconnect
	inRequests   = inConnack | inPubs | inSuback | inUnsuback | inDisconnect
)

// reasons is the table of section 2.4: the name of a code and the packets it stands in. It is read
// only.
var reasons = [256]struct {
	name string
	in   uint16
}{
	Success: {"Success",
		inConnack | inPubs | inRels | inSuback | inUnsuback | inDisconnect | inAuth},
	GrantedQoS1:                 {"Granted QoS 1", inSuback},
	GrantedQoS2:                 {"Granted QoS 2", inSuback},
	DisconnectWithWillMessage:   {"Disconnect with Will Message", inDisconnect},
	NoMatchingSubscribers:       {"No matching subscribers", inPubs},
	NoSubscriptionExisted:       {"No subscription existed", inUnsuback},
	ContinueAuthentication:      {"Continue authentication", inAuth},
	ReAuthenticate:              {"Re-authenticate", inAuth},
	UnspecifiedError:            {"Unspecified error", inRequests},
	MalformedPacket:             {"Malformed Packet", inBoth},
	ProtocolError:               {"Protocol Error", inBoth},
	ImplementationSpecificError: {"Implementation specific error", inRequests},
	UnsupportedProtocolVersion:  {"Unsupported Protocol Version", inConnack},
	ClientIdentifierNotValid:    {"Client Identifier not valid", inConnack},
	BadUserNameOrPassword:       {"Bad User Name or Password", inConnack},
	NotAuthorized:               {"Not authorized", inRequests},
	ServerUnavailable:           {"Server unavailable", inConnack},
	ServerBusy:                  {"Server busy", inBoth},
	Banned:                      {"Banned", inConnack},
	ServerShuttingDown:          {"Server shutting down", inDisconnect},
	BadAuthenticationMethod:     {"Bad authentication method", inBoth},
	KeepAliveTimeout:            {"Keep Alive timeout", inDisconnect},
	SessionTakenOver:            {"Session taken over", inDisconnect},
	TopicFilterInvalid:          {"Topic Filter invalid", inSuback | inUnsuback | inDisconnect},
	TopicNameInvalid:            {"Topic Name invalid", inBoth | inPubs},
	PacketIdentifierInUse:       {"Packet Identifier in use", inPubs | inSuback | inUnsuback},
	PacketIdentifierNotFound:    {"Packet Identifier not found", inRels},
	ReceiveMaximumExceeded:      {"Receive Maximum exceeded", inDisconnect},
	TopicAliasInvalid:           {"Topic Alias invalid", inDisconnect},
	PacketTooLarge:              {"Packet too large", inBoth},
	MessageRateTooHigh:          {"Message rate too high", inDisconnect},
	QuotaExceeded:               {"Quota exceeded", inBoth | inPubs | inSuback},
	AdministrativeAction:        {"Administrative action", inDisconnect},
	PayloadFormatInvalid:        {"Payload format invalid", inBoth | inPubs},
	RetainNotSupported:          {"Retain not supported", inBoth},
	QoSNotSupported:             {"QoS not supported", inBoth},
	UseAnotherServer:            {"Use another server", inBoth},
	ServerMoved:                 {"Server moved", inBoth},
	SharedSubscriptionsNotSupported: {"Shared Subscriptions not supported",
		inSuback | inDisconnect},
	ConnectionRateExceeded: {"Connection rate exceeded", inBoth},
	MaximumConnectTime:     {"Maximum connect time", inDisconnect},
	SubscriptionIdentifiersNotSupported: {"Subscription Identifiers not supported",
		inSuback | inDisconnect},
	WildcardSubscriptionsNotSupported: {"Wildcard Subscriptions not supported",
		inSuback | inDisconnect},
}
