package settings

import "testing"

// read is a reader that meets every kind of value.
func read(text string) error {
	o := Parse(text)
	o.Known("name", "list", "count", "ratio", "on", "mode", "sub", "subs", "raw")
	o.Text("name", "")
	o.Texts("list")
	o.Integer("count", 0, 1, 9)
	o.Number("ratio", 0)
	o.Bool("on", false)
	o.OneOf("mode", "a", "a", "b")
	o.Raw("raw")
	if sub := o.Object("sub"); sub != nil {
		sub.Known("inner")
		sub.Text("inner", "")
	}
	for _, s := range o.Objects("subs") {
		s.Known("inner")
		s.Integer("inner", 0, 0, 9)
	}
	return o.Err()
}

func TestErrorsNameThePlace(t *testing.T) {
	for text, want := range map[string]string{
		`{`:         "config: not valid JSON",
		`[]`:        "config: want an object, have a list",
		`{"nme":1}`: `config: nme: unknown key; did you mean "name"?`,
		`{"zzzzzz":1}`: "config: zzzzzz: unknown key; known keys: name, list, count, ratio, " +
			"on, mode, sub, subs, raw",
		`{"name":1}`:              "config: name: want a string, have a number",
		`{"name":"a","name":"b"}`: "config: name: given twice",
		`{"list":"a"}`:            "config: list: want a list of strings, have a string",
		`{"list":["a",{}]}`:       "config: list[1]: want a string, have an object",
		`{"count":0}`:             "config: count: want a whole number from 1 to 9, have 0",
		`{"count":1.5}`:           "config: count: want a whole number from 1 to 9, have 1.5",
		`{"ratio":true}`:          "config: ratio: want a number, have true or false",
		`{"on":null}`:             "config: on: want true or false, have null",
		`{"mode":"c"}`:            `config: mode: "c" is not one of a, b`,
		`{"sub":[]}`:              "config: sub: want an object, have a list",
		`{"sub":{"iner":1}}`:      `config: sub.iner: unknown key; did you mean "inner"?`,
		`{"subs":[{"inner":10}]}`: "config: subs[0].inner: want " +
			"a whole number from 0 to 9, have 10",
		`{"subs":[{},1]}`: "config: subs[1]: want an object, have a number",
	} {
		if err := read(text); err == nil || err.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", text, err, want)
		}
	}
}

func TestValues(t *testing.T) {
	o := Parse(`{"name":"ü\n","list":["a","b"],"count":3,"on":true,"raw":{ "a" : ["x y\" ", 1 ]}}`)
	if o.Text("name", "") != "ü\n" || len(o.Texts("list")) != 2 || !o.Bool("on", false) ||
		o.Integer("count", 0, 0, 9) != 3 || o.Number("count", 0) != 3 ||
		o.Text("none", "x") != "x" {
		t.Error("a value is not what stands there")
	}
	if got, want := o.Raw("raw"), `{"a":["x y\" ",1]}`; got != want {
		t.Errorf("raw is %s, want %s", got, want)
	}
	if o.Err() != nil {
		t.Error(o.Err())
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`{"name":"a","subs":[{"inner":1}],"raw":"\\"}`)
	f.Fuzz(func(_ *testing.T, text string) { _ = read(text) })
}
