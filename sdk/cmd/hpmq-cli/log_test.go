package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/sdk/client"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

var arrived = time.Date(2026, 1, 31, 15, 4, 5, 0, time.UTC)

// logged is a broker with five records, two a page; the one before the last has no payload.
func logged(t *testing.T, asked *[]string) string {
	t.Helper()
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.URL.RawQuery)
		at := 0
		_, _ = fmt.Sscan(r.URL.Query().Get("cursor"), &at)
		var list []string
		for i := at; i < min(5, at+2); i++ {
			held := `"payload":"aGk=","payload_held":"whole"`
			if i == 3 {
				held = `"payload_held":"none"`
			}
			list = append(list, fmt.Sprintf(`{"id":%d,"time":%q,"listener":"l","client_id":"dev",`+
				`"topic":"t/%d","qos":1,%s,"payload_bytes":2,"outcome":"suppressed",`+
				`"reason":"repeated","receivers":0}`, i+1,
				arrived.Add(time.Duration(i)*time.Second).Format(time.RFC3339), i, held))
		}
		if r.URL.Query().Get("follow") == "true" {
			_, _ = fmt.Fprintf(w, "%s\n\n", strings.Join(list, "\n"))
			return
		}
		_, _ = fmt.Fprintf(w, `{"records":[%s],"next":%d,"more":%t}`, strings.Join(list, ","),
			at+2, at+2 < 5)
	}))
	t.Cleanup(h.Close)
	return h.URL
}

// logCLI runs a command line of log.
func logCLI(t *testing.T, args string) (code int, out, errs string, asked []string) {
	t.Helper()
	var o, e bytes.Buffer
	line := append([]string{"--server", logged(t, &asked), "log"}, words(args)...)
	code = run(t.Context(), line, streams{strings.NewReader(""), &o, &e})
	return code, o.String(), e.String(), asked
}

func TestLogQuery(t *testing.T) {
	code, out, errs, asked := logCLI(t, "query --filter t/# --client dev --outcome suppressed "+
		"--from 2026-01-31T15:00:00Z --limit 4")
	if code != exitOK || strings.Count(out, "repeated") != 4 || len(asked) != 2 ||
		!strings.Contains(errs, "there are more") {
		t.Errorf("exit %d, asked %q: %s%s", code, asked, out, errs)
	}
	for _, part := range []string{"client=dev", "filter=t%2F%23", "limit=4",
		"from=2026-01-31T15%3A00%3A00Z", "outcome=suppressed"} {
		if !strings.Contains(asked[0], part) {
			t.Errorf("no %s in %s", part, asked[0])
		}
	}
	code, out, _, _ = logCLI(t, "query --limit 0 --newest --json")
	if code != exitOK || strings.Count(out, "\n") != 5 || !strings.Contains(out, `"topic":"t/4"`) {
		t.Errorf("exit %d: %s", code, out)
	}
	for _, bad := range []string{"--from x", "--filter a#", "--to 1x", "--from -5m", "--limit -3"} {
		if code, _, errs, asked := logCLI(t, "query "+bad); code != exitUsage || asked != nil {
			t.Errorf("%s: exit %d: %s", bad, code, errs)
		}
	}
}

func TestLogTail(t *testing.T) {
	code, out, errs, asked := logCLI(t, "tail --filter t/#")
	if code != exitUnreachable || strings.Count(out, "repeated") != 2 ||
		!strings.Contains(asked[0], "follow=true") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
}

func TestMoments(t *testing.T) {
	for text, want := range map[string]time.Time{
		"10m": arrived.Add(-10 * time.Minute), "1d": arrived.Add(-24 * time.Hour), "": {},
		"2026-01-31T15:04:05Z": arrived,
	} {
		if got, err := moment("from", text, arrived); err != nil || !got.Equal(want) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}

// taker is a broker of MQTT 5 that takes messages of QoS 1 and notes them.
func taker(t *testing.T, got chan<- string) (target string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer close(got)
		buf := make([]byte, 4096)
		for { // a Sender waits for each answer: a read is a packet
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			take(conn, buf[:n], got)
		}
	}()
	return "tcp://" + ln.Addr().String()
}

func take(conn net.Conn, frame []byte, got chan<- string) {
	switch mqtt.TypeOf(frame) {
	case mqtt.CONNECT:
		_, _ = conn.Write((&mqtt.Connack{}).Append(nil, mqtt.V5))
	case mqtt.PUBLISH:
		var m mqtt.Publish
		_ = m.Decode(mqtt.V5, frame)
		m.Props.Users(func(name, value []byte) bool {
			got <- fmt.Sprintf("%s=%s %s=%s", m.Topic, m.Payload, name, value)
			return true
		})
		ack := mqtt.Ack{Type: mqtt.PUBACK, PacketID: m.PacketID}
		_, _ = conn.Write(ack.Append(nil, mqtt.V5))
	}
}

// What is whole is published again with its time, at the speed that was asked for.
func TestLogReplay(t *testing.T) {
	got := make(chan string, 10)
	began := time.Now()
	code, out, errs, asked := logCLI(t, "replay --speed 40 --from 1d --target "+taker(t, got))
	if code != exitOK || !strings.Contains(out, "4 published, 1 left out") ||
		!strings.Contains(asked[0], "to=") {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	if took := time.Since(began); took < 100*time.Millisecond { // 4 s of messages
		t.Errorf("took %v", took)
	}
	for i, second := range []int{5, 6, 7, 9} {
		n := []int{0, 1, 2, 4}[i]
		want := fmt.Sprintf("t/%d=hi hpmq-replay=2026-01-31T15:04:%02dZ", n, second)
		if line := <-got; line != want {
			t.Errorf("got %s, want %s", line, want)
		}
	}
	code, out, _, _ = logCLI(t, "replay --dry-run")
	if code != exitOK || !strings.Contains(out, "4 would be published, 1 left out") {
		t.Errorf("exit %d: %s", code, out)
	}
	if code, _, _, _ := logCLI(t, "replay --speed -1"); code != exitUsage {
		t.Errorf("exit %d", code)
	}
}

// TestReplaysAreNotReplayed: what a replay published is left out, or keeps the time of its first
// arrival; properties go along, and a message whose properties are not complete is left out.
func TestReplaysAreNotReplayed(t *testing.T) {
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		const part = `"topic":"t","qos":1,"payload":"aGk=","payload_held":"whole",` +
			`"payload_bytes":2,"outcome":"delivered","receivers":0`
		_, _ = fmt.Fprintf(w, `{"records":[
			{"id":1,"time":"2026-01-31T15:04:05Z",%[1]s,"properties":{"payload_format":1,
				"expiry_seconds":60,"content_type":"text/plain","response_topic":"r",
				"correlation_data":"AQI=","user":[{"name":"a","value":"b"}]}},
			{"id":2,"time":"2026-01-31T15:04:06Z",%[1]s,"replayed":true,"properties":{
				"user":[{"name":"hpmq-replay","value":"first"}]}},
			{"id":3,"time":"2026-01-31T15:04:07Z",%[1]s,"properties":{"incomplete":true}},
			{"id":4,"time":"2026-01-31T15:04:08Z","topic":"t","qos":1,"payload_held":"none",
				"payload_bytes":0,"outcome":"denied","receivers":0}
			],"next":5}`, part)
	}))
	t.Cleanup(h.Close)
	for args, want := range map[string]struct {
		out  string
		sent []string
	}{
		"--speed 0": {"1 published, 2 left out: they are not in the log as they were; 1 left out",
			[]string{"t=hi a=b", "t=hi hpmq-replay=2026-01-31T15:04:05Z"}},
		"--speed 0 --replayed": {"2 published, 2 left out: they are not in the log as they were; " +
			"0 left out", []string{"t=hi a=b", "t=hi hpmq-replay=2026-01-31T15:04:05Z",
			"t=hi hpmq-replay=first"}},
	} {
		got := make(chan string, 10)
		var o, e bytes.Buffer
		line := append([]string{"--server", h.URL, "log", "replay", "--target", taker(t, got)},
			words(args)...)
		code := run(t.Context(), line, streams{strings.NewReader(""), &o, &e})
		if code != exitOK || !strings.Contains(o.String(), want.out) {
			t.Errorf("%s: exit %d: %s%s", args, code, &o, &e)
		}
		var sent []string
		for s := range got {
			sent = append(sent, s)
		}
		if !slices.Equal(sent, want.sent) {
			t.Errorf("%s: %q, want %q", args, sent, want.sent)
		}
	}
}

func TestPropertiesOfAReplay(t *testing.T) {
	one, text, reply := 1, "text/plain", "r"
	p := replayProps(&client.LogRecord{Time: arrived, Properties: &client.LogProperties{
		PayloadFormat: &one, ExpirySeconds: 60, ContentType: &text, ResponseTopic: &reply,
		CorrelationData: []byte{1, 2},
	}})
	want := mqtt.Props(nil).AppendByte(mqtt.PayloadFormatIndicator, 1).
		AppendUint32(mqtt.MessageExpiryInterval, 60).
		AppendBytes(mqtt.ContentType, []byte(text)).AppendBytes(mqtt.ResponseTopic, []byte(reply)).
		AppendBytes(mqtt.CorrelationData, []byte{1, 2}).
		AppendUser([]byte(replayMark), []byte("2026-01-31T15:04:05Z"))
	if !bytes.Equal(p, want) {
		t.Errorf("%q, want %q", p, want)
	}
}
