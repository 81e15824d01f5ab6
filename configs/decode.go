package configs

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// decoder fills structs from the maps and lists the sources were merged to. Unlike the decoders at
// hand it goes on after a fault, knows every path, and starts list entries from defaults.
type decoder struct {
	from     origins
	problems Problems
	// fresh answers what an entry of a list starts from, or the zero Value.
	fresh func(reflect.Type) reflect.Value
	// clear makes a section that is written as null one that is left out.
	clear bool
}

// value puts v into to, which holds the default: nothing written keeps it.
func (d *decoder) value(path string, v any, to reflect.Value) {
	if v == nil {
		if d.clear && to.Kind() == reflect.Pointer {
			to.SetZero()
		}
		return
	}
	if u, ok := to.Addr().Interface().(encoding.TextUnmarshaler); ok {
		d.text(path, v, u)
		return
	}
	switch to.Kind() {
	case reflect.Struct:
		d.record(path, v, to)
	case reflect.Slice:
		d.list(path, v, to)
	case reflect.Map:
		if to.Type().Elem().Kind() == reflect.String {
			d.texts(path, v, to)
		} else {
			d.document(path, v, to)
		}
	case reflect.Pointer:
		d.section(path, v, to)
	default:
		d.scalar(path, v, to)
	}
}

// section is a record that may be left out: one that is written starts from what is there, else
// from its default.
func (d *decoder) section(path string, v any, to reflect.Value) {
	fresh := reflect.New(to.Type().Elem())
	if start := d.fresh(to.Type().Elem()); start.IsValid() {
		fresh.Elem().Set(start)
	}
	if !to.IsNil() {
		fresh.Elem().Set(to.Elem())
	}
	d.value(path, v, fresh.Elem())
	to.Set(fresh)
}

func (d *decoder) text(path string, v any, to encoding.TextUnmarshaler) {
	switch v.(type) {
	case string, int, uint64, float64:
	default:
		d.problems.add(path, "must be a text, not %s", kindOf(v))
		return
	}
	if err := to.UnmarshalText([]byte(fmt.Sprint(v))); err != nil {
		d.problems.add(path, "%v", err)
	}
}

func (d *decoder) record(path string, v any, to reflect.Value) {
	m, ok := v.(map[string]any)
	if !ok {
		d.problems.add(path, "must be a mapping of %s, not %s",
			strings.Join(keysOf(to.Type()), ", "), kindOf(v))
		return
	}
	keys := keysOf(to.Type())
	// In the order of the fields, because Limits must be known before Listeners.
	for i, key := range keys {
		if value, ok := m[key]; ok {
			d.value(join(path, key), value, to.Field(i))
		}
	}
	for _, key := range sortedKeys(m) {
		if !slices.Contains(keys, key) {
			d.unknown(path, key, keys)
		}
	}
}

func (d *decoder) unknown(path, key string, keys []string) {
	if near := nearest(strings.ToLower(key), keys); near != "" {
		d.problems.add(join(path, key), "unknown key; did you mean %q?", near)
		return
	}
	d.problems.add(join(path, key), "unknown key; known here: %s", strings.Join(keys, ", "))
}

func (d *decoder) list(path string, v any, to reflect.Value) {
	entries, ok := v.([]any)
	if !ok {
		d.problems.add(path, "must be a list, not %s", kindOf(v))
		return
	}
	out := reflect.MakeSlice(to.Type(), len(entries), len(entries))
	for i, entry := range entries {
		at := fmt.Sprintf("%s[%d]", path, i)
		if start := d.fresh(to.Type().Elem()); start.IsValid() {
			out.Index(i).Set(start)
		}
		if entry == nil {
			d.problems.add(at, "is empty")
			continue
		}
		d.value(at, entry, out.Index(i))
	}
	to.Set(out)
}

// texts takes a mapping of texts to texts.
func (d *decoder) texts(path string, v any, to reflect.Value) {
	m, ok := v.(map[string]any)
	if !ok {
		d.problems.add(path, "must be a mapping, not %s", kindOf(v))
		return
	}
	out := make(map[string]string, len(m))
	for _, key := range sortedKeys(m) {
		var text string
		if m[key] == nil {
			d.problems.add(join(path, key), "is empty; put the text in quotes")
		} else {
			d.value(join(path, key), m[key], reflect.ValueOf(&text).Elem())
		}
		out[key] = text
	}
	to.Set(reflect.ValueOf(out))
}

// document takes a free-form mapping whose every key is a text, as JSON wants it.
func (d *decoder) document(path string, v any, to reflect.Value) {
	m, ok := v.(map[string]any)
	if !ok {
		d.problems.add(path, "must be a mapping, not %s", kindOf(v))
		return
	}
	d.plain(path, m)
	to.Set(reflect.ValueOf(Document(m)))
}

func (d *decoder) plain(path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range sortedKeys(v) {
			d.plain(join(path, key), v[key])
		}
	case []any:
		for i, entry := range v {
			d.plain(fmt.Sprintf("%s[%d]", path, i), entry)
		}
	case map[any]any:
		d.problems.add(path, "keys must be texts; put them in quotes")
	case nil, bool, string, int, int64, uint64, float64:
	default:
		d.problems.add(path, "is not plain data; put it in quotes")
	}
}

func (d *decoder) scalar(path string, v any, to reflect.Value) {
	if s, ok := v.(string); ok && to.Kind() != reflect.String && d.from[path].text {
		v = parseText(s)
	}
	in, want := reflect.ValueOf(v), to.Kind()
	switch {
	case want == reflect.String && in.Kind() == reflect.String,
		want == reflect.Bool && in.Kind() == reflect.Bool:
		to.Set(in.Convert(to.Type()))
	case to.CanInt() && in.CanInt() && !to.OverflowInt(in.Int()):
		to.SetInt(in.Int())
	case to.CanUint() && in.CanInt() && in.Int() >= 0 && !to.OverflowUint(uint64(in.Int())):
		to.SetUint(uint64(in.Int()))
	case to.CanUint() && in.CanUint() && !to.OverflowUint(in.Uint()):
		to.SetUint(in.Uint())
	case want != reflect.String && want != reflect.Bool && (in.CanInt() || in.CanUint()):
		d.problems.add(path, "%v is out of range", v)
	case want == reflect.String && (in.CanInt() || in.CanUint() || in.CanFloat()):
		d.problems.add(path, "must be a text, not %s; put it in quotes", kindOf(v))
	default:
		d.problems.add(path, "must be %s, not %s", wanted(to), kindOf(v))
	}
}

// parseText reads what stands in a variable of the environment as YAML would.
func parseText(s string) any {
	var v any
	if err := yaml.Unmarshal([]byte(s), &v); err != nil || v == nil {
		return s
	}
	return v
}

func wanted(to reflect.Value) string {
	switch to.Kind() {
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	}
	return "a whole number"
}

func kindOf(v any) string {
	switch v := v.(type) {
	case map[string]any, map[any]any:
		return "a mapping"
	case []any:
		return "a list"
	case string:
		return fmt.Sprintf("the text %q", clip(v))
	case bool:
		return fmt.Sprint(v)
	case int, int64, uint64, float64:
		return fmt.Sprintf("the number %v", v)
	}
	return clip(fmt.Sprintf("%v", v))
}

// clip keeps a line of an error short.
func clip(s string) string {
	const most = 60
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

// keysOf lists the keys of a struct in the order of its fields.
func keysOf(t reflect.Type) []string {
	keys := make([]string, t.NumField())
	for i := range keys {
		keys[i], _, _ = strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
	}
	return keys
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
