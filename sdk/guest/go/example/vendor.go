// Package vendor is an example to copy: a vendor's meters speak "t=21.5", the cloud speaks
// {"t":21.5,"by":"m7"}. See ../../example. The folder guest has the component around it.
package vendor

import (
	"bytes"
	"strconv"

	"github.com/hpmq/hpmq/sdk/guest/go/conversion"
)

// Conversion is the component.
func Conversion() conversion.Conversion {
	return conversion.Conversion{
		Upstream: upstream, UpstreamTopics: []string{"meter/+/up"},
		Downstream: downstream, DownstreamTopics: []string{"meter/+/down"},
	}
}

func upstream(_ string, payload, previous []byte, from *conversion.Context) conversion.Result {
	name, value, ok := bytes.Cut(payload, []byte("="))
	if !ok {
		return conversion.Keep()
	}
	out := strconv.AppendQuote([]byte("{"), string(name))
	out = append(append(out, ':'), value...)
	out = strconv.AppendQuote(append(out, `,"by":`...), from.ClientID)
	out = append(out, '}')
	if bytes.Equal(out, previous) {
		return conversion.Drop() // nothing new
	}
	return conversion.Change(conversion.Message{Payload: out})
}

func downstream(_ string, payload, _ []byte, _ *conversion.Context) conversion.Result {
	value, ok := bytes.CutPrefix(payload, []byte(`{"set":`))
	if !ok || !bytes.HasSuffix(value, []byte("}")) {
		return conversion.Keep()
	}
	out := append([]byte("set="), value[:len(value)-1]...)
	return conversion.Change(conversion.Message{Payload: out})
}
