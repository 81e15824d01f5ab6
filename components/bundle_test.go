package components_test

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	users "github.com/hpmq/hpmq/components/authenticator-file"
	rules "github.com/hpmq/hpmq/components/authorizer-rules"
	lines "github.com/hpmq/hpmq/components/codec-lines"
	window "github.com/hpmq/hpmq/components/deduplicator-window"
	route "github.com/hpmq/hpmq/components/router-rules"
	transform "github.com/hpmq/hpmq/components/transformer-json"

	"github.com/hpmq/hpmq/components"
	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/sdk/bundle"
	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/schema"
)

// configurable is a component, natively.
type configurable interface {
	Configure(config string) (guest.Interest, error)
}

// native is a fresh component of that name.
func native(t *testing.T, name string) configurable {
	t.Helper()
	switch name {
	case "authenticator-file":
		return &users.Users{}
	case "authorizer-rules":
		return &rules.Rules{}
	case "transformer-json":
		return &transform.Transformer{}
	case "deduplicator-window":
		return &window.Window{}
	case "router-rules":
		return &route.Routes{}
	case "codec-lines":
		return &lines.Codec{}
	}
	t.Fatalf("%s is not listed here", name)
	return nil
}

// Each component can be shipped as a bundle, which says what its .wasm says.
func TestEachHasABundle(t *testing.T) {
	for _, name := range append(components.Names(), components.Further()...) {
		_, b, err := bundle.Build(name)
		if err != nil {
			t.Error(err)
			continue
		}
		c := &b.Components[0]
		code, _ := components.Default(name)
		if b.Name != name || b.Licence != "Apache-2.0" || !bytes.Equal(b.Content(c.Digest), code) {
			t.Errorf("%s: %s, %s, or not its code", name, b.Name, b.Licence)
		}
		if len(b.Cases(c)) == 0 || b.Schema(c) == nil || len(c.Capabilities) == 0 {
			t.Errorf("%s: it has no golden cases, no schema or no capabilities", name)
			continue
		}
		holdSchema(t, b, c)
	}
}

// holdSchema sees that a schema is true: what it refuses the component refuses, and with its
// defaults filled in a configuration is the same.
func holdSchema(t *testing.T, b *bundle.Bundle, c *bundle.Component) {
	t.Helper()
	admitted, refused := 0, 0
	for _, one := range b.Cases(c) {
		config := string(one.Config)
		if config == "" {
			config = "{}"
		}
		filled, err := b.Schema(c).Fill([]byte(config))
		switch {
		case err != nil && one.Error == "":
			t.Errorf("%s: %s: the schema refuses what it takes: %v", c.Name, one.Name, err)
		case err != nil:
			refused++
		case one.Error == "":
			admitted++
			holdFilled(t, c.Name, config, string(filled))
		}
	}
	if admitted == 0 || refused == 0 && c.Name != "codec-lines" {
		t.Errorf("%s: the schema admitted %d cases and refused %d", c.Name, admitted, refused)
	}
}

func holdFilled(t *testing.T, name, config, filled string) {
	t.Helper()
	plain, full := native(t, name), native(t, name)
	one, err := plain.Configure(config)
	if err != nil {
		t.Errorf("%s: %s: %v", name, config, err)
	}
	other, err := full.Configure(filled)
	if err != nil || !reflect.DeepEqual(one, other) || !reflect.DeepEqual(plain, full) {
		t.Errorf("%s: with defaults it is another component: %v\n%s\n%s", name, err, config, filled)
	}
}

// example is the configuration in the README of a component.
func example(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(text), "```yaml\n")
	block, _, _ = strings.Cut(block, "```")
	if name == "codec-lines" { // a whole listener
		_, block, _ = strings.Cut(block, "config: ")
		block = "config: " + strings.TrimSuffix(strings.TrimSpace(block), "}]")
	}
	listener := "link:\n  worker:\n    - use: x.wasm\n      " +
		strings.ReplaceAll(block, "\n", "\n      ")
	l, err := configs.ParseListener([]byte(listener), configs.Default().Listeners[0])
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, listener)
	}
	config, err := json.Marshal(l.Link.Worker[0].Config)
	if err != nil {
		t.Fatal(err)
	}
	return string(config)
}

func schemaOf(t *testing.T, name string) *schema.Schema {
	t.Helper()
	text, err := os.ReadFile(name + "/schema.json")
	if err != nil {
		t.Fatal(err)
	}
	s, err := schema.Compile(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The example of each README fits its schema.
func TestTheExamplesFitTheSchemas(t *testing.T) {
	for _, name := range append(components.Names(), components.Further()...) {
		config := example(t, name)
		if len(config) < 20 {
			t.Errorf("%s: the example is %s", name, config)
		}
		if err := schemaOf(t, name).Check([]byte(config)); err != nil {
			t.Errorf("%s: %s: %v", name, config, err)
		}
	}
}

// A wrong configuration is refused by its place, before any code is run.
func TestWrongConfigurationsAreTold(t *testing.T) {
	for _, c := range []struct{ name, config, want string }{
		{"authenticator-file", `{"users":[{"name":"joe"}]}`, "users[0]: missing property 'hash'"},
		{"authenticator-file", `{"users":[{"name":"joe","hash":"secret"}]}`, "users[0].hash: "},
		{"authenticator-file", `{"anonymus":"never"}`, "anonymus: unknown key; known keys: anonym"},
		{"authorizer-rules", `{"rules":[{"effect":"allow","users":[]}]}`,
			"rules[0].users: minItems: got 0, want 1"},
		{"authorizer-rules", `{"rules":[{"effect":"maybe"}]}`,
			"rules[0].effect: value must be one of 'allow', 'deny'"},
		{"transformer-json", `{"rules":[{"steps":[{"pick":["a"],"remove":["b"]}]}]}`,
			"rules[0].steps[0]: maxProperties: got 2, want 1"},
		{"transformer-json", `{"rules":[{"steps":[{"pick":["a\"b"]}]}]}`,
			"rules[0].steps[0].pick[0]: "},
		{"deduplicator-window", `{"rules":[{"filter":"#"}]}`,
			"rules[0]: want either window_ms or change"},
		{"deduplicator-window", `{"rules":[{"change":{"a":{}},"by":["b"]}]}`,
			"rules[0]: properties 'window_ms' required, if 'by' exists"},
		{"router-rules", `{"rules":[{"drop":true,"redirect":"a"}]}`,
			"rules[0]: want either drop or some of redirect, copies, reach"},
		{"router-rules", `{"shares":[{"group":"a"}]}`, "shares[0]: missing property 'strategy'"},
		{"codec-lines", `{"keep_alive":70000}`, "keep_alive: maximum: got 70,000, want 65,535"},
	} {
		err := schemaOf(t, c.name).Check([]byte(c.config))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %s:\n got %v\nwant %s", c.name, c.config, err, c.want)
		}
		if _, err := native(t, c.name).Configure(c.config); err == nil {
			t.Errorf("%s: %s: the component takes it", c.name, c.config)
		}
	}
}
