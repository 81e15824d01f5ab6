package mqtt

import "testing"

// TestReasonsAreThoseOfTheStandard counts codes and their packets as table 2-6 has them.
func TestReasonsAreThoseOfTheStandard(t *testing.T) {
	count, in := 0, map[Type]int{}
	for c := range 256 {
		r := ReasonCode(c)
		if r.String() == "Unknown" {
			if reasons[r].in != 0 {
				t.Errorf("%#x has packets but no name", c)
			}
			continue
		}
		count++
		for typ := CONNECT; typ <= AUTH; typ++ {
			if r.In(typ) {
				in[typ]++
			}
		}
	}
	if count != 43 {
		t.Errorf("%d codes", count)
	}
	want := map[Type]int{CONNACK: 22, PUBACK: 9, PUBREC: 9, PUBREL: 2, PUBCOMP: 2, SUBACK: 12,
		UNSUBACK: 7, DISCONNECT: 30, AUTH: 3}
	for typ := CONNECT; typ <= AUTH; typ++ {
		if in[typ] != want[typ] {
			t.Errorf("%v has %d codes, want %d", typ, in[typ], want[typ])
		}
	}
}

func TestConnack3(t *testing.T) {
	for r, want := range map[ReasonCode]byte{
		Success: 0, UnsupportedProtocolVersion: 1, ClientIdentifierNotValid: 2,
		ServerUnavailable: 3, ServerBusy: 3, UnspecifiedError: 3, BadUserNameOrPassword: 4,
		NotAuthorized: 5, Banned: 5,
	} {
		if got := r.Connack3(); got != want {
			t.Errorf("%v is %d, want %d", r, got, want)
		}
	}
	for code, r := range connack5 {
		if r.Connack3() != byte(code) {
			t.Errorf("return code %d is %v and back %d", code, r, r.Connack3())
		}
	}
}

func TestNames(t *testing.T) {
	for got, want := range map[string]string{
		V31.String(): "3.1", V311.String(): "3.1.1", V5.String(): "5.0",
		Version(9).String(): "unknown",
		PUBREL.String():     "PUBREL", AUTH.String(): "AUTH", Type(0).String(): "reserved",
		ResponseTopic.String(): "Response Topic", PropID(0).String(): "Unknown",
		PropID(200).String(): "Unknown", KeepAliveTimeout.String(): "Keep Alive timeout",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
