// Package guesttest runs the golden cases of a component: files that say what it is configured
// with, what it is asked and what it must answer. The same files are run natively, against the
// handler, and in the host, against the .wasm; who runs them gives a Target.
package guesttest

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	guest "github.com/hpmq/hpmq/sdk/guest/go"
)

// Case is one golden file.
type Case struct {
	// About is the sentence that the case holds the component to.
	About string `json:"about"`
	// Config is {} when the file has none.
	Config json.RawMessage `json:"config"`
	// Error is what configure must fail with; then there is no more.
	Error    string   `json:"error"`
	Inbound  []string `json:"inbound"`
	Outbound []string `json:"outbound"`
	Calls    []Call   `json:"calls"`
}

// Call is one question; a role looks at the fields its function has.
type Call struct {
	// Function is "authorize", "upstream", "downstream", "check", "route", "share" or
	// "authenticate".
	Function string `json:"call"`
	// WaitMS lets so much time pass before the call.
	WaitMS int64 `json:"wait_ms"`
	// Last is what was delivered before under some topics.
	Last map[string]string `json:"last"`

	Who         Who         `json:"who"`
	Action      string      `json:"action"`
	Topic       string      `json:"topic"`
	Payload     Text        `json:"payload"`
	QoS         guest.QoS   `json:"qos"`
	Retain      bool        `json:"retain"`
	Group       string      `json:"group"`
	Filter      string      `json:"filter"`
	Credentials Credentials `json:"credentials"`

	// Answer is what must come back, in the words of the contract.
	Answer json.RawMessage `json:"answer"`
}

// Text is a text, which files may write as {"repeat": text, "times": n} as well.
type Text string

// UnmarshalJSON reads both forms.
func (t *Text) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, (*string)(t))
	}
	var part struct {
		Repeat string `json:"repeat"`
		Times  int    `json:"times"`
	}
	if err := json.Unmarshal(b, &part); err != nil {
		return err
	}
	if part.Times < 0 || part.Times > 8<<20 {
		return errors.New("times is from 0 to 8388608")
	}
	*t = Text(strings.Repeat(part.Repeat, part.Times))
	return nil
}

// Who is the identity of a call.
type Who struct {
	ClientID string `json:"client-id"`
	Username string `json:"username"`
	Address  string `json:"address"`
	Listener string `json:"listener"`
	Tenant   string `json:"tenant"`
}

// Credentials are those of an authenticate; a nil username or password was not given.
type Credentials struct {
	ClientID string  `json:"client-id"`
	Username *string `json:"username"`
	Password *string `json:"password"`
	Address  string  `json:"address"`
	Method   string  `json:"method"`
	Subject  string  `json:"certificate-subject"`
	// Data and Step are of enhanced authentication.
	Data string `json:"data"`
	Step uint32 `json:"step"`
}

// Target is a configured or not yet configured component.
type Target interface {
	// Configure is lifecycle.configure.
	Configure(config string) (guest.Interest, error)
	// Do asks and answers in the form of Call.Answer, any value that json.Marshal takes.
	Do(c *Call) (any, error)
}

// Actions are the words of authorizer.action, in their order.
func Actions() []string { return []string{"publish", "subscribe", "will", "deliver"} }

// Run runs each case in dir on a target of its own.
func Run(t *testing.T, dir string, open func(t *testing.T, h *Host) Target) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in %s: %v", dir, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			c, err := read(file)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			h := NewHost()
			c.run(t, h, open(t, h))
		})
	}
}

func read(file string) (*Case, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	c := &Case{}
	if err := d.Decode(c); err != nil {
		return nil, err
	}
	if c.About == "" {
		return nil, errors.New("a case needs about")
	}
	if c.Config == nil {
		c.Config = json.RawMessage("{}")
	}
	return c, nil
}

func (c *Case) run(t *testing.T, h *Host, target Target) {
	t.Helper()
	in, err := target.Configure(string(c.Config))
	switch {
	case c.Error != "" && (err == nil || err.Error() != c.Error):
		t.Fatalf("configure:\n got %v\nwant %s", err, c.Error)
	case c.Error != "":
		return
	case err != nil:
		t.Fatalf("configure: %v", err)
	}
	if !same(in.Inbound, c.Inbound) || !same(in.Outbound, c.Outbound) {
		t.Errorf("interest:\n got %q, %q\nwant %q, %q", in.Inbound, in.Outbound, c.Inbound,
			c.Outbound)
	}
	for i := range c.Calls {
		call := &c.Calls[i]
		h.prepare(call)
		got, err := target.Do(call)
		if err != nil {
			t.Fatalf("call %d: %v", i, err)
		}
		if text, equal := compare(got, call.Answer); !equal {
			t.Errorf("call %d (%s %s %s):\n got %s\nwant %s",
				i, call.Function, call.Action, call.Topic, text, call.Answer)
		}
	}
}

func same(a, b []string) bool { return len(a) == 0 && len(b) == 0 || reflect.DeepEqual(a, b) }

// compare holds got to want as JSON values; spelling does not count.
func compare(got any, want json.RawMessage) (string, bool) {
	text, err := json.Marshal(got)
	if err != nil {
		return err.Error(), false
	}
	var a, b any
	if json.Unmarshal(text, &a) != nil || json.Unmarshal(want, &b) != nil {
		return string(text), false
	}
	return string(text), reflect.DeepEqual(a, b)
}
