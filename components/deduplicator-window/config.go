package window

import (
	"strings"

	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/settings"
	"github.com/hpmq/hpmq/sdk/topic"
)

// timeMSMax is the longest window or silence: a year.
const timeMSMax = 365 * 24 * 3600 * 1000

// Configure reads the rules.
func (w *Window) Configure(config string) (guest.Interest, error) {
	w.rules = nil
	var in guest.Interest
	o := settings.Parse(config)
	o.Known("rules")
	for _, line := range o.Objects("rules") {
		r := readRule(line)
		w.rules = append(w.rules, r)
		in.Inbound = append(in.Inbound, r.filter)
	}
	if o.Err() != nil {
		return guest.Interest{}, o.Err()
	}
	return in, nil
}

func readRule(o *settings.Object) rule {
	o.Known("filter", "window_ms", "by", "across", "change", "silence_ms")
	r := rule{filter: o.Text("filter", "#")}
	if !topic.ValidFilter([]byte(r.filter)) {
		o.Fail("filter", r.filter+" is not a topic filter")
	}
	switch {
	case o.Has("change") == o.Has("window_ms"):
		o.Fail("", "want either window_ms or change")
	case o.Has("change"):
		r.readChange(o)
	default:
		r.readWindow(o)
	}
	return r
}

func (r *rule) readWindow(o *settings.Object) {
	r.windowMS = uint64(o.Integer("window_ms", 1, 1, timeMSMax))
	r.by = o.Texts("by")
	for _, name := range r.by {
		checkName(o, "by", name)
	}
	if o.Has("by") && len(r.by) == 0 {
		o.Fail("by", "names no field; leave the key out to compare whole payloads")
	}
	if o.Has("silence_ms") {
		o.Fail("silence_ms", "belongs to change")
	}
	r.label = "w "
	if o.OneOf("across", "topic", "topic", "filter") == "filter" {
		r.wide = true
		r.label = "f " + r.filter
	}
	if len(r.by) > 0 {
		// The same window over other fields is another memory.
		r.label += " by " + strings.Join(r.by, ",") + " "
	}
}

func (r *rule) readChange(o *settings.Object) {
	for _, key := range []string{"by", "across"} {
		if o.Has(key) {
			o.Fail(key, "belongs to window_ms")
		}
	}
	r.label = "c "
	r.silenceMS = uint64(o.Integer("silence_ms", 0, 0, timeMSMax))
	change := o.Object("change")
	if change == nil {
		return
	}
	for _, name := range change.Names() {
		checkName(change, name, name)
		b := change.Object(name)
		if b == nil {
			return
		}
		b.Known("absolute", "percent")
		r.bands = append(r.bands, band{
			name: name, absolute: positive(b, "absolute"), percent: positive(b, "percent"),
		})
	}
	if len(r.bands) == 0 {
		o.Fail("change", "names no field")
	}
}

func positive(o *settings.Object, key string) float64 {
	n := o.Number(key, 0)
	if n < 0 {
		o.Fail(key, "is negative")
	}
	return n
}

// checkName refuses a field name that has more than one spelling in JSON, since names are compared
// as they stand in the message.
func checkName(o *settings.Object, key, name string) {
	if !settings.Plain(name) {
		o.Fail(key, settings.PlainWant)
	}
}
