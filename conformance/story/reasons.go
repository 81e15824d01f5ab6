package story

import (
	"fmt"
	"strconv"
)

// reasonName answers the name of a reason code of MQTT 5 (2.4) as scripts spell it. 0, 1, 2 and 4
// mean different things in different packets and are named there.
func reasonName(code byte) string {
	names := map[byte]string{
		0x00: "success", 0x04: "with-will",
		0x10: "no-matching-subscribers", 0x11: "no-subscription-existed",
		0x18: "continue-authentication", 0x19: "re-authenticate",
		0x80: "unspecified-error", 0x81: "malformed-packet", 0x82: "protocol-error",
		0x83: "implementation-specific-error", 0x84: "unsupported-protocol-version",
		0x85: "client-identifier-not-valid", 0x86: "bad-user-name-or-password",
		0x87: "not-authorized", 0x88: "server-unavailable", 0x89: "server-busy", 0x8a: "banned",
		0x8b: "server-shutting-down", 0x8c: "bad-authentication-method",
		0x8d: "keep-alive-timeout", 0x8e: "session-taken-over", 0x8f: "topic-filter-invalid",
		0x90: "topic-name-invalid", 0x91: "packet-identifier-in-use",
		0x92: "packet-identifier-not-found", 0x93: "receive-maximum-exceeded",
		0x94: "topic-alias-invalid", 0x95: "packet-too-large", 0x96: "message-rate-too-high",
		0x97: "quota-exceeded", 0x98: "administrative-action", 0x99: "payload-format-invalid",
		0x9a: "retain-not-supported", 0x9b: "qos-not-supported", 0x9c: "use-another-server",
		0x9d: "server-moved", 0x9e: "shared-subscriptions-not-supported",
		0x9f: "connection-rate-exceeded", 0xa0: "maximum-connect-time",
		0xa1: "subscription-identifiers-not-supported",
		0xa2: "wildcard-subscriptions-not-supported",
	}
	if n, ok := names[code]; ok {
		return n
	}
	return fmt.Sprintf("0x%02x", code)
}

// ReasonCode answers the reason code with that name; 0x87 is understood too.
func ReasonCode(name string) (byte, error) {
	for code := 0; code < 256; code++ {
		if reasonName(byte(code)) == name {
			return byte(code), nil
		}
	}
	n, err := strconv.ParseUint(name, 0, 8)
	if err != nil {
		return 0, fmt.Errorf("%q is no reason code", name)
	}
	return byte(n), nil
}

// connack3Name answers the name of a CONNACK return code of MQTT 3.1 and 3.1.1 (table 3.1).
func connack3Name(code byte) string {
	names := []string{"accepted", "unacceptable-protocol-version", "identifier-rejected",
		"server-unavailable", "bad-user-name-or-password", "not-authorized"}
	if int(code) < len(names) {
		return names[code]
	}
	return fmt.Sprintf("0x%02x", code)
}

// subackName answers the name of a reason code of SUBACK: the granted QoS or the failure.
func subackName(version, code byte) string {
	switch {
	case code <= 2:
		return fmt.Sprintf("granted-%d", code)
	case version < 5 && code == 0x80:
		return "failure"
	}
	return reasonName(code)
}
