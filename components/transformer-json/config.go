package transform

import (
	"strings"

	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/settings"
	"github.com/hpmq/hpmq/sdk/guest/go/template"
	"github.com/hpmq/hpmq/sdk/guest/go/transformer"
	"github.com/hpmq/hpmq/sdk/topic"
)

// stepNames are the steps there are.
var stepNames = []string{
	"rename", "pick", "remove", "const", "extract", "scale", "previous", "topic",
}

// Configure reads the rules.
func (t *Transformer) Configure(config string) (guest.Interest, error) {
	t.up, t.down = nil, nil
	var in guest.Interest
	o := settings.Parse(config)
	o.Known("rules")
	for _, line := range o.Objects("rules") {
		r := readRule(line)
		if line.OneOf("direction", "up", "up", "down") == "up" {
			t.up = append(t.up, r)
			in.Inbound = append(in.Inbound, r.filter)
		} else {
			t.down = append(t.down, r)
			in.Outbound = append(in.Outbound, r.filter)
		}
	}
	if o.Err() != nil {
		return guest.Interest{}, o.Err()
	}
	return in, nil
}

func readRule(o *settings.Object) rule {
	o.Known("direction", "filter", "otherwise", "steps")
	r := rule{filter: o.Text("filter", "#")}
	if !topic.ValidFilter([]byte(r.filter)) {
		o.Fail("filter", r.filter+" is not a topic filter")
	}
	if o.OneOf("otherwise", "keep", "keep", "drop") == "drop" {
		r.otherwise = transformer.Drop
	}
	steps := o.Objects("steps")
	if len(steps) == 0 {
		o.Fail("steps", "a rule without steps does nothing")
	}
	for _, s := range steps {
		made, whole := readStep(s)
		r.steps = append(r.steps, made)
		r.whole = r.whole || whole
	}
	return r
}

// readStep also answers whether the step needs the fields of the payload.
func readStep(o *settings.Object) (step, bool) {
	o.Known(stepNames...)
	names := o.Names()
	if len(names) != 1 {
		o.Fail("", "want exactly one of "+strings.Join(stepNames, ", "))
		return rename(nil), false
	}
	switch name := names[0]; name {
	case "rename":
		return rename(readPairs(o, name)), true
	case "pick":
		return pick(readNames(o, name)), true
	case "remove":
		return remove(readNames(o, name)), true
	case "const":
		return readConstant(o.Object(name)), true
	case "extract":
		return extract(readPairs(o, name)), true
	case "scale":
		return readScale(o.Object(name)), true
	case "previous":
		return readPrevious(o.Object(name)), true
	default:
		made, wrong := template.Parse(o.Text("topic", ""))
		if wrong != "" {
			o.Fail("topic", wrong)
		}
		return rewrite(made), made.UsesValues()
	}
}

func readNames(o *settings.Object, key string) []string {
	list := o.Texts(key)
	if len(list) == 0 {
		o.Fail(key, "names no field")
	}
	for _, n := range list {
		checkName(o, key, n)
	}
	return list
}

func readPairs(o *settings.Object, key string) []pair {
	child := o.Object(key)
	if child == nil {
		return nil
	}
	var list []pair
	for _, from := range child.Names() {
		to := child.Text(from, "")
		checkName(child, from, from)
		if key != "extract" { // its right side is a path
			checkName(child, from, to)
		}
		list = append(list, pair{from, to})
	}
	return list
}

func readConstant(o *settings.Object) step {
	var list constant
	if o == nil {
		return list
	}
	for _, name := range o.Names() {
		checkName(o, name, name)
		list = append(list, pair{name, o.Raw(name)})
	}
	return list
}

func readScale(o *settings.Object) step {
	var list scale
	if o == nil {
		return list
	}
	for _, name := range o.Names() {
		checkName(o, name, name)
		m := o.Object(name)
		if m == nil {
			break
		}
		m.Known("factor", "offset", "digits")
		list = append(list, measure{
			name:   name,
			factor: m.Number("factor", 1),
			offset: m.Number("offset", 0),
			digits: int(m.Integer("digits", -1, 0, 15)),
		})
	}
	return list
}

func readPrevious(o *settings.Object) step {
	s := &previous{}
	if o == nil {
		return s
	}
	o.Known("copy", "delta")
	s.copies = readPairs(o, "copy")
	s.deltas = readPairs(o, "delta")
	return s
}

// checkName refuses a field name that has more than one spelling in JSON, since names are compared
// as they stand in the message.
func checkName(o *settings.Object, key, name string) {
	if !settings.Plain(name) {
		o.Fail(key, settings.PlainWant)
	}
}
