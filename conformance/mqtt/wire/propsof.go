package wire

import (
	"slices"
	"strings"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// property is a row of table 2-4 of the 5.0 standard, for packets of a client.
type property struct {
	id mqtt.PropID
	// in are the names of the specimens that may have it.
	in string
	// value is a good one, or stands for its kind where no client may send the property.
	value []byte
	// texts is how many strings the value is made of.
	texts int
}

const (
	inMessage = "publish will"
	inReasons = "puback pubrec pubrel pubcomp disconnect auth"
	inAll     = inMessage + " " + inReasons + " connect subscribe unsubscribe"
)

func properties() []property {
	return []property{
		{mqtt.PayloadFormatIndicator, inMessage, []byte{1}, 0},
		{mqtt.MessageExpiryInterval, inMessage, []byte{0, 0, 0, 60}, 0},
		{mqtt.ContentType, inMessage, text("text"), 1},
		{mqtt.ResponseTopic, inMessage, text("hpmq-conformance/answer"), 1},
		{mqtt.CorrelationData, inMessage, text("\x00\xFF\xC0\x80"), 0},
		{mqtt.SubscriptionIdentifier, "subscribe", []byte{7}, 0},
		{mqtt.SessionExpiryInterval, "connect disconnect", []byte{0, 0, 0, 0}, 0},
		{mqtt.AssignedClientIdentifier, "", text("abc"), 1},
		{mqtt.ServerKeepAlive, "", []byte{0, 60}, 0},
		{mqtt.AuthenticationMethod, "connect auth", text("HPMQ-UNKNOWN"), 1},
		{mqtt.AuthenticationData, "connect auth", text("data"), 0},
		{mqtt.RequestProblemInformation, "connect", []byte{1}, 0},
		{mqtt.WillDelayInterval, "will", []byte{0, 0, 0, 0}, 0},
		{mqtt.RequestResponseInformation, "connect", []byte{0}, 0},
		{mqtt.ResponseInformation, "", text("abc"), 1},
		{mqtt.ServerReference, "", text("abc"), 1},
		{mqtt.ReasonString, inReasons, text("because"), 1},
		{mqtt.ReceiveMaximum, "connect", []byte{0, 10}, 0},
		{mqtt.TopicAliasMaximum, "connect", []byte{0, 10}, 0},
		{mqtt.TopicAlias, "publish", []byte{0, 1}, 0},
		{mqtt.MaximumQoS, "", []byte{1}, 0},
		{mqtt.RetainAvailable, "", []byte{1}, 0},
		{mqtt.UserProperty, inAll, join(text("name"), text("value")), 2},
		{mqtt.MaximumPacketSize, "connect", []byte{0, 1, 0, 0}, 0},
		{mqtt.WildcardSubscriptionAvailable, "", []byte{1}, 0},
		{mqtt.SubscriptionIdentifierAvailable, "", []byte{1}, 0},
		{mqtt.SharedSubscriptionAvailable, "", []byte{1}, 0},
	}
}

// bytes is the property with its good value.
func (p *property) bytes() []byte { return prop(p.id, p.value) }

// allowed says whether the specimen of that name may have the property.
func (p *property) allowed(name string) bool {
	return slices.Contains(strings.Fields(p.in), name)
}

// unclear is true where the standard does not say whether a client may send the property, or where
// the server closes for another reason too, so that a case would show nothing.
func (p *property) unclear(name string) bool {
	switch p.id {
	case mqtt.ServerReference:
		return name == "disconnect" // in the table; in the text only the server sends it
	case mqtt.AuthenticationMethod, mqtt.AuthenticationData:
		return name == "connect" // the method is not known to the server
	case mqtt.SubscriptionIdentifier:
		return name == "publish" // has a case of its own
	}
	return false
}

// once is true for a property that must not stand twice in the specimen of that name.
func (p *property) once(name string) bool {
	switch p.id {
	case mqtt.UserProperty:
		return false
	case mqtt.PayloadFormatIndicator:
		return name == "will" // of PUBLISH the standard does not say it
	}
	return p.allowed(name) && !p.unclear(name)
}

// propertied are the specimens that have properties, one of each property block.
func propertied() []specimen {
	return slices.DeleteFunc(specimens(), func(s specimen) bool {
		return !s.blocked() || strings.Contains(s.name, "-qos-")
	})
}
