package interop

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// patience is how long a client waits for what must come.
const patience = 2 * time.Minute

// A client is one connection of a library.
type client interface {
	// Subscribe answers what the broker granted.
	Subscribe(t *testing.T, filter string, qos byte) (granted byte)
	// Publish answers once the broker has acknowledged, as far as QoS has that.
	Publish(t *testing.T, m message)
	// Next is the next message that came.
	Next(t *testing.T) message
	// Close disconnects as the library does it.
	Close()
}

type message struct {
	Topic    string
	Payload  string
	QoS      byte
	Retained bool
	// Properties are user properties, as "name=value name=value".
	Properties string
}

func (m message) String() string {
	return fmt.Sprintf("{%s: %.30q, %d bytes, QoS %d, retained %t, properties %q}",
		m.Topic, m.Payload, len(m.Payload), m.QoS, m.Retained, m.Properties)
}

// pairs are the properties of a message, name and value.
func pairs(properties string) (list [][2]string) {
	for _, p := range strings.Fields(properties) {
		name, value, _ := strings.Cut(p, "=")
		list = append(list, [2]string{name, value})
	}
	return list
}

// joined is the inverse of pairs.
func joined(list [][2]string) string {
	words := make([]string, len(list))
	for i, p := range list {
		words[i] = p[0] + "=" + p[1]
	}
	return strings.Join(words, " ")
}

type will struct {
	message
	// DelaySeconds is heard in MQTT 5 alone.
	DelaySeconds uint32
}

// settings are those of a connection.
type settings struct {
	URL     string
	Version string
	ID      string
	// KeepSeconds is how long the session outlives the connection, 0 for a clean one. Before MQTT 5
	// it has no end.
	KeepSeconds uint32
	Will        *will
	// Lost says whether the connection was cut or went silent; nil: it never is.
	Lost func() bool
}

type dialer func(*testing.T, settings) client

// A library is what somebody wrote to speak MQTT.
type library struct {
	name     string
	versions []string
	schemes  []string
	// open makes it ready. It ends the test if something is missing: see missing.
	open func(*testing.T, *world) dialer
}

var everywhere = []string{"tcp", "tls", "ws", "wss"}

// libraries are the witnesses. README.md has the same table.
func libraries() []library {
	return []library{
		{"mosquitto", []string{"3.1", "3.1.1", "5"}, []string{"tcp", "tls"}, openMosquitto},
		{"paho.mqtt.golang", []string{"3.1", "3.1.1"}, everywhere, openPaho3},
		{"paho.golang", []string{"5"}, everywhere, openPaho5},
		{"MQTT.js", []string{"3.1", "3.1.1", "5"}, everywhere, openNode},
		{"Python paho", []string{"3.1", "3.1.1", "5"}, everywhere, openPython},
	}
}

// A column is a library in one version of MQTT over one kind of connection.
type column struct {
	library, version, scheme string
	dial                     dialer
	w                        *world
}

func (c column) String() string {
	return fmt.Sprintf("%s %s over %s", c.library, c.version, c.scheme)
}

func (c column) v5() bool { return c.version == "5" }

// connect opens a connection that ends with the test. What s leaves out is of the column.
func (c column) connect(t *testing.T, s settings) client {
	t.Helper()
	s.Version = c.version
	if s.URL == "" {
		s.URL = c.w.urls[c.scheme]
	}
	if s.ID == "" {
		s.ID = c.w.id()
	}
	x := c.dial(t, s)
	t.Cleanup(x.Close)
	return x
}

// seen is m as a client of this column sees it, if sender sent it.
func (c column) seen(sender column, m message) message {
	if !c.v5() || !sender.v5() {
		m.Properties = ""
	}
	return m
}

// columns are those of all libraries that are there.
func columns(t *testing.T, w *world) (all []column) {
	for _, l := range libraries() {
		t.Run(l.name, func(t *testing.T) {
			dial := l.open(t, w)
			for _, version := range l.versions {
				for _, scheme := range l.schemes {
					all = append(all, column{l.name, version, scheme, dial, w})
				}
			}
		})
	}
	return all
}

// The table in README.md says what is in libraries, and nothing else.
func TestTheTableOfTheReadme(t *testing.T) {
	var want []string
	for _, l := range libraries() {
		row := []string{l.name}
		for _, v := range []string{"3.1", "3.1.1", "5"} {
			row = append(row, mark(slices.Contains(l.versions, v)))
		}
		for _, s := range everywhere {
			row = append(row, mark(slices.Contains(l.schemes, s)))
		}
		want = append(want, strings.Join(row, "|"))
	}
	if got := table(t, "README.md"); !slices.Equal(got, want) {
		t.Errorf("README.md has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func mark(does bool) string {
	if does {
		return "✓"
	}
	return "–"
}
