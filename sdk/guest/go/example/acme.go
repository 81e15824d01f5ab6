// Package acme is an example to copy: it converts what the thermometers of a vendor say. They know
// neither JSON nor our topics: acme/ID/up has "t=215;h=48" (tenths of a degree, per cent), and what
// they shall do they want as "led=1" under acme/ID/down.
//
// The guest around it is in the folder guest; the golden cases in testdata are run by its test
// natively, and by hpmq-cli against the .wasm.
package acme

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/hpmq/hpmq/sdk/guest/go/conversion"
	"github.com/hpmq/hpmq/sdk/guest/go/fields"
)

// Conversion is the component.
func Conversion() conversion.Conversion {
	return conversion.Conversion{
		Upstream: upstream, UpstreamTopics: []string{"acme/+/up"},
		Downstream: downstream, DownstreamTopics: []string{"devices/+/led"},
	}
}

// upstream: acme/7/up "t=215;h=48" is devices/7/climate {"temperature":21.5,"humidity":48} for the
// cloud. What says nothing new is dropped.
func upstream(topic string, payload, _ []byte, c *conversion.Context) conversion.Result {
	id := strings.TrimSuffix(strings.TrimPrefix(topic, "acme/"), "/up")
	out := []byte{'{'}
	for part := range strings.SplitSeq(string(payload), ";") {
		name, text, _ := strings.Cut(part, "=")
		value, err := strconv.Atoi(text)
		if err != nil {
			return conversion.Keep() // not what we know: somebody should see it as it is
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		switch name {
		case "t":
			out = fields.AppendNumber(append(out, `"temperature":`...), float64(value)/10)
		case "h":
			out = strconv.AppendInt(append(out, `"humidity":`...), int64(value), 10)
		default:
			return conversion.Keep()
		}
	}
	out = append(out, '}')
	climate := "devices/" + id + "/climate"
	if last, ok := c.Last(climate); ok && bytes.Equal(last, out) {
		return conversion.Drop()
	}
	return conversion.Change(conversion.Message{Topic: climate, Payload: out})
}

// downstream: devices/7/led {"on":true} is acme/7/down "led=1" for the device.
func downstream(topic string, payload, _ []byte, _ *conversion.Context) conversion.Result {
	on, ok := fields.At(string(payload), "on")
	if !ok {
		return conversion.Drop() // the device could not read it
	}
	id := strings.TrimSuffix(strings.TrimPrefix(topic, "devices/"), "/led")
	led := "led=0"
	if on == "true" {
		led = "led=1"
	}
	return conversion.Change(conversion.Message{
		Topic: "acme/" + id + "/down", Payload: []byte(led),
	})
}
