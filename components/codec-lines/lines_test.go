package lines

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/quick"

	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/codec"
)

var rewrite = flag.Bool("rewrite", false, "write the dialogues as they go")

// TestDialogues holds the codec to testdata: "> " is what the client sends, "= " a request that it
// makes, "! " an event of the broker, "< " what the client is sent. A line of # is a remark.
func TestDialogues(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no dialogues: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, string(want))
			if *rewrite {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// play is the dialogue as it goes. Each call is one of another instance, as after a swap.
func play(t *testing.T, script string) string {
	var got strings.Builder
	var state, input []byte
	for line := range strings.Lines(script) {
		switch text := strings.TrimSuffix(line[min(2, len(line)):], "\n"); line[0] {
		case '>':
			got.WriteString(line)
			input = append(input, text+"\n"...)
			state, input = decode(fresh(t), state, input, &got)
		case '!':
			got.WriteString(line)
			var e codec.Event
			if err := json.Unmarshal([]byte(text), &e); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			var out codec.Encoded
			fresh(t).Encode(state, &e, &out)
			write(&got, out.Output)
		case '#', '\n':
			got.WriteString(line)
		}
	}
	return got.String()
}

func fresh(t *testing.T) *Codec {
	t.Helper()
	c := &Codec{}
	if _, err := c.Configure(`{"keep_alive": 30}`); err != nil {
		t.Fatal(err)
	}
	return c
}

// decode does as the host does: it asks as long as something is consumed.
func decode(c *Codec, state, input []byte, got *strings.Builder) (newState, rest []byte) {
	for used := 1; used > 0 && len(input) > 0; input = input[used:] {
		var out codec.Decoded
		c.Decode(state, input, &out)
		if out.State != nil {
			state = bytes.Clone(out.State)
		}
		for i := range out.Requests {
			fmt.Fprintf(got, "= %s\n", request(&out.Requests[i]))
		}
		write(got, out.Output)
		if out.Close {
			fmt.Fprintf(got, "= close %s\n", out.Reason)
			return state, nil
		}
		used = out.Consumed
	}
	return state, bytes.Clone(input)
}

func write(got *strings.Builder, output []byte) {
	for line := range strings.Lines(string(output)) {
		got.WriteString("< " + line)
	}
}

func request(r *codec.Request) string {
	switch r.Kind {
	case codec.Connect:
		c := &r.Connection
		return fmt.Sprintf("connect %q %q %q clean=%v expiry=%d alive=%d", c.ClientID, c.Username,
			c.Password, c.CleanStart, c.SessionExpiry, c.KeepAlive)
	case codec.Publish:
		return fmt.Sprintf("publish %d %q %q qos=%d", r.ID, r.Message.Topic, r.Message.Payload,
			r.Message.QoS)
	case codec.Subscribe:
		return fmt.Sprintf("subscribe %d %q qos=%d", r.ID, r.Filter, r.QoS)
	case codec.Unsubscribe:
		return fmt.Sprintf("unsubscribe %d %q", r.ID, r.Filter)
	case codec.Ping:
		return "ping"
	case codec.Disconnect:
		return "disconnect"
	}
	return "?"
}

func TestSettingsAreStrict(t *testing.T) {
	for _, bad := range []string{
		`{"keepalive":1}`, `{"keep_alive":65536}`, `{"session_expiry":-1}`,
	} {
		if _, err := (&Codec{}).Configure(bad); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
	c := &Codec{}
	if _, err := c.Configure(`{"session_expiry": 60}`); err != nil {
		t.Fatal(err)
	}
	var out codec.Decoded
	c.Decode(nil, []byte("CONNECT a\n"), &out)
	if v := out.Requests[0].Connection; v.CleanStart || v.SessionExpiry != 60 {
		t.Errorf("%+v", v)
	}
}

// TestAnyBytesMakeOneLine: what a message has in it cannot end its line or look like another.
func TestAnyBytesMakeOneLine(t *testing.T) {
	c := &Codec{}
	f := func(topic string, payload []byte) bool {
		var out codec.Encoded
		m := guest.Message{Topic: topic, Payload: payload}
		c.Encode(nil, &codec.Event{Kind: codec.Deliver, Message: m}, &out)
		line, whole := strings.CutSuffix(string(out.Output), "\n")
		_, rest := cut(line)
		gotTopic, gotPayload := cut(rest)
		return whole && !strings.ContainsAny(line, "\n\r") && plain(gotTopic) == topic &&
			plain(gotPayload) == string(payload)
	}
	if err := quick.Check(f, &quick.Config{MaxCount: 2000}); err != nil {
		t.Error(err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{1, 1, 0, 0, 0, 0}, []byte("PUB1 a b\r\nSUB x 2\nCONNECT\n\n"))
	f.Add([]byte(nil), []byte("CONNECT a b c\nQUIT\nPUB"))
	f.Fuzz(func(t *testing.T, state, input []byte) {
		var out codec.Decoded
		(&Codec{}).Decode(state, input, &out)
		if out.Consumed > len(input) || len(out.Requests) > codec.RequestsMax ||
			out.Consumed == 0 && len(out.Requests)+len(out.Output) > 0 {
			t.Errorf("%+v", out)
		}
	})
}
