// Package settings reads the configuration of a component strictly: an unknown key, a wrong type, a
// value out of bounds is an error that names the place and, for a key, the nearest right one.
//
// It knows JSON, not what the keys mean. It runs at configure, not on the way of a message.
package settings

import (
	"errors"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
)

// Object is a JSON object of the configuration. Objects of one configuration share one error, the
// first that was met; after it every read answers the fallback, so a reader checks Err once, at the
// end.
type Object struct {
	place  string
	fields []field
	err    *error
}

type field struct {
	key   string
	value gjson.Result
}

// Parse reads text, which must be a JSON object. What is read aliases text.
func Parse(text string) *Object {
	o := &Object{err: new(error)}
	if !gjson.Valid(text) {
		o.Fail("", "not valid JSON")
		return o
	}
	o.read(gjson.Parse(text))
	return o
}

func (o *Object) read(v gjson.Result) {
	if !v.IsObject() {
		o.Fail("", "want an object, have "+kind(v))
		return
	}
	v.ForEach(func(key, value gjson.Result) bool {
		if o.Has(key.String()) {
			o.Fail(key.String(), "given twice")
		}
		o.fields = append(o.fields, field{key.String(), value})
		return true
	})
}

// Err is the first error of the whole configuration.
func (o *Object) Err() error { return *o.err }

// Fail makes text, said of key, the error of the configuration unless there is one. An empty key is
// the object itself.
func (o *Object) Fail(key, text string) {
	if *o.err != nil {
		return
	}
	if place := join(o.place, key); place != "" {
		text = place + ": " + text
	}
	*o.err = errors.New("config: " + text)
}

// Place is where key stands in the configuration, as "rules[2].topics".
func (o *Object) Place(key string) string { return join(o.place, key) }

// Known fails on the first key that is not one of these.
func (o *Object) Known(keys ...string) {
	for _, f := range o.fields {
		if !contains(keys, f.key) {
			o.Fail(f.key, "unknown key; "+suggest(f.key, keys))
		}
	}
}

// Names are the keys of the object, as they stand.
func (o *Object) Names() []string {
	names := make([]string, len(o.fields))
	for i, f := range o.fields {
		names[i] = f.key
	}
	return names
}

// Has reports whether key is there.
func (o *Object) Has(key string) bool {
	for _, f := range o.fields {
		if f.key == key {
			return true
		}
	}
	return false
}

// get finds key; what is not there, or not as want says, gives false.
func (o *Object) get(key, want string, fits func(gjson.Result) bool) (gjson.Result, bool) {
	for _, f := range o.fields {
		if f.key != key {
			continue
		}
		if !fits(f.value) {
			o.Fail(key, "want "+want+", have "+kind(f.value))
			return gjson.Result{}, false
		}
		return f.value, true
	}
	return gjson.Result{}, false
}

// Text is the string under key.
func (o *Object) Text(key, fallback string) string {
	if v, ok := o.get(key, "a string", isString); ok {
		return v.Str
	}
	return fallback
}

// OneOf is the string under key, one of words.
func (o *Object) OneOf(key, fallback string, words ...string) string {
	s := o.Text(key, fallback)
	if !contains(words, s) {
		o.Fail(key, strconv.Quote(s)+" is not one of "+strings.Join(words, ", "))
		return fallback
	}
	return s
}

// Texts is the list of strings under key, nil when there is none.
func (o *Object) Texts(key string) []string {
	v, ok := o.get(key, "a list of strings", gjson.Result.IsArray)
	if !ok {
		return nil
	}
	var list []string
	v.ForEach(func(_, e gjson.Result) bool {
		if !isString(e) {
			o.Fail(index(key, len(list)), "want a string, have "+kind(e))
			return false
		}
		list = append(list, e.Str)
		return true
	})
	return list
}

// Bool is the truth value under key.
func (o *Object) Bool(key string, fallback bool) bool {
	if v, ok := o.get(key, "true or false", gjson.Result.IsBool); ok {
		return v.Bool()
	}
	return fallback
}

// Number is the number under key.
func (o *Object) Number(key string, fallback float64) float64 {
	if v, ok := o.get(key, "a number", isNumber); ok {
		return v.Num
	}
	return fallback
}

// Integer is the whole number under key, from low to high.
func (o *Object) Integer(key string, fallback, low, high int64) int64 {
	v, ok := o.get(key, "a whole number", isNumber)
	if !ok {
		return fallback
	}
	n, err := strconv.ParseInt(v.Raw, 10, 64)
	if err != nil || n < low || n > high {
		o.Fail(key, "want a whole number from "+strconv.FormatInt(low, 10)+" to "+
			strconv.FormatInt(high, 10)+", have "+v.Raw)
		return fallback
	}
	return n
}

// Raw is the JSON text under key, whatever it is, without space between its parts; "" when there is
// none.
func (o *Object) Raw(key string) string {
	v, _ := o.get(key, "", func(gjson.Result) bool { return true })
	return compact(v.Raw)
}

func compact(raw string) string {
	out := make([]byte, 0, len(raw))
	inside := false
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		switch {
		case inside && c == '\\':
			out = append(out, c)
			i++
			c = raw[i] // valid JSON: a backslash is never the last byte
		case c == '"':
			inside = !inside
		case !inside && (c == ' ' || c == '\n' || c == '\t' || c == '\r'):
			continue
		}
		out = append(out, c)
	}
	return string(out)
}

// Object is the object under key, nil when there is none.
func (o *Object) Object(key string) *Object {
	v, ok := o.get(key, "an object", gjson.Result.IsObject)
	if !ok {
		return nil
	}
	child := &Object{place: o.Place(key), err: o.err}
	child.read(v)
	return child
}

// Objects is the list of objects under key.
func (o *Object) Objects(key string) []*Object {
	v, ok := o.get(key, "a list of objects", gjson.Result.IsArray)
	if !ok {
		return nil
	}
	var list []*Object
	v.ForEach(func(_, e gjson.Result) bool {
		child := &Object{place: o.Place(index(key, len(list))), err: o.err}
		child.read(e)
		list = append(list, child)
		return o.Err() == nil
	})
	return list
}

func isString(v gjson.Result) bool { return v.Type == gjson.String }

func isNumber(v gjson.Result) bool { return v.Type == gjson.Number }

func kind(v gjson.Result) string {
	switch {
	case v.IsObject():
		return "an object"
	case v.IsArray():
		return "a list"
	case v.Type == gjson.String:
		return "a string"
	case v.Type == gjson.Number:
		return "a number"
	case v.IsBool():
		return "true or false"
	default:
		return "null"
	}
}

func index(key string, i int) string { return key + "[" + strconv.Itoa(i) + "]" }

func join(place, key string) string {
	if place == "" || key == "" {
		return place + key
	}
	return place + "." + key
}

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}
