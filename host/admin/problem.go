package admin

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/hpmq/hpmq/sdk/jsonsize"
)

// A refusal is not larger than what is refused, whatever that was.
const (
	// problemErrorsMax bounds the errors of one answer.
	problemErrorsMax = 16
	// problemBytesMax bounds each text of such an error, and what it shows of a request.
	problemBytesMax = 512
	// detailBytesMax bounds what the broker says of a refusal.
	detailBytesMax = 16 << 10
	// bodyValuesMax bounds the values of a body in JSON: each may be an error, and takes memory.
	bodyValuesMax = 1 << 16
)

// bounded is a huma.Transformer that cuts what a refusal says. Without it each error has the whole
// object it was found in, so that a body of 100,000 wrong keys is answered with all of them 100,000
// times.
func bounded(_ huma.Context, _ string, v any) (any, error) {
	e, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	out := *e
	out.Detail = cut(e.Detail, detailBytesMax)
	out.Errors = nil
	for _, d := range e.Errors[:min(len(e.Errors), problemErrorsMax)] {
		if d == nil {
			continue
		}
		out.Errors = append(out.Errors, &huma.ErrorDetail{
			Message:  cut(d.Message, problemBytesMax),
			Location: cut(d.Location, problemBytesMax),
			Value:    scalar(d.Value),
		})
	}
	if more := len(e.Errors) - problemErrorsMax; more > 0 {
		out.Errors = append(out.Errors, &huma.ErrorDetail{
			Message: fmt.Sprintf("and %d errors more", more),
		})
	}
	return &out, nil
}

// scalar is v if it is small for what it is: no object, no list.
func scalar(v any) any {
	switch v := v.(type) {
	case string:
		return cut(v, problemBytesMax)
	case bool, float64, int, int64:
		return v
	}
	return nil
}

// cut is at most bytesMax of text, and says so.
func cut(text string, bytesMax int) string {
	if len(text) <= bytesMax {
		return text
	}
	const sign = "…"
	end := bytesMax - len(sign)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + sign
}

// decode is json.Unmarshal for bodies.
func decode(body []byte, into any) error {
	if jsonsize.Values(body) > bodyValuesMax {
		return fmt.Errorf("the body has more than %d values: send less at once", bodyValuesMax)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return err
	}
	if tree, ok := into.(*any); ok { // it is for huma's validation alone
		*tree = plain(*tree)
	}
	return nil
}

// plain gives keys no dot and no bracket: huma finds its way back from a key by the last of them,
// so that each such key would make all paths after it longer.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, under := range v {
			out[strings.Map(noSeparator, key)] = plain(under)
		}
		return out
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	}
	return v
}

func noSeparator(r rune) rune {
	switch r {
	case '.':
		return '·'
	case '[':
		return '('
	}
	return r
}
