package readme

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/conformance/process"
	"github.com/hpmq/hpmq/conformance/registry"
)

// placeholder is the registry of the README.
const placeholder = "registry.example"

// story runs the README.
type story struct {
	t        *testing.T
	names    names
	machines map[string]*machine
	registry *registry.Registry
	watched  *screen // all that the meters' topics carry
	read     int     // lines of the background that were shown
	good     int     // lines of watched when the good version served all
}

// TestTheStory is the README at two brokers and a registry. What is pushed is built by the one.
// From the first bundle verify on there is no registry any more: the other needs none.
func TestTheStory(t *testing.T) {
	if _, err := exec.LookPath("mosquitto_pub"); err != nil {
		const install = "apt-get install mosquitto-clients"
		if os.Getenv("CI") != "" {
			t.Fatalf("mosquitto_pub is not there, CI needs it: %s", install)
		}
		t.Skipf("THE README IS NOT TESTED, mosquitto_pub is not there: %s", install)
	}
	s := &story{t: t, names: names{}, watched: new(screen), machines: map[string]*machine{}}
	s.registry = registry.Start(t, false)
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	orders, err := parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if _, _, err := process.Build(t.Context(), bin); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"acme", "plant"} {
		s.machines[name] = newMachine(t, bin)
	}
	share(t, s.machines["acme"].dir, s.machines["plant"].dir, "acme.pem")
	for i := range orders {
		s.obey(&orders[i])
	}
	s.judge()
}

// share puts a file that is made on one machine onto another, as people do.
func share(t *testing.T, from, to, name string) {
	t.Helper()
	if err := os.Symlink(filepath.Join(from, name), filepath.Join(to, name)); err != nil {
		t.Fatal(err)
	}
}

// obey runs one command, and compares what it prints.
func (s *story) obey(o *order) {
	s.t.Helper()
	m := s.machines[o.machine]
	if m == nil {
		s.t.Fatalf("README.md:%d: no machine is called %s", o.line, o.machine)
	}
	text := strings.ReplaceAll(o.text, placeholder, s.registry.Addr)
	var got []string
	switch program, _, _ := strings.Cut(text, " "); {
	case program == "hpmq":
		m.serve(text)
	case strings.HasSuffix(text, "&"), strings.HasSuffix(text, "& done"):
		s.begin(m, text)
	case program == "mosquitto_pub":
		s.shown(m, o, m.run(text))
		return
	default:
		if strings.HasPrefix(text, "hpmq-cli bundle verify") {
			s.registry.Stop()
		}
		got = m.run(text)
	}
	s.compare(o, got)
	if strings.HasPrefix(text, "hpmq-cli link swap") && slices.ContainsFunc(got, isDone) {
		s.good = len(s.watched.lines())
	}
}

func isDone(line string) bool { return strings.HasSuffix(plain(line), " done") }

// begin runs a command beside the others. Who subscribes has done so when it returns, and another
// client then sees all that is published.
func (s *story) begin(m *machine, text string) {
	s.t.Helper()
	if !strings.HasPrefix(text, "mosquitto_sub") {
		m.begin(text, new(screen))
		return
	}
	m.begin(text, m.heard)
	m.begin("mosquitto_sub -q 1 -v -t meter/+/up", s.watched)
	m.subscribed(2)
}

// shown compares what appears beside a command that says nothing itself, bytes and all.
func (s *story) shown(m *machine, o *order, own []string) {
	s.t.Helper()
	want := s.read + len(o.prints)
	m.until(strings.Join(o.prints, "\n"), func() bool { return len(m.heard.lines()) >= want })
	got := append(own, m.heard.lines()[s.read:]...)
	s.read = want
	if !slices.Equal(got, o.prints) {
		s.differs(o, "", got)
	}
}

func (s *story) compare(o *order, got []string) {
	s.t.Helper()
	want := slices.Clone(o.prints)
	for i := range want {
		want[i] = strings.ReplaceAll(want[i], placeholder, s.registry.Addr)
	}
	if d := s.names.differs(want, got); d != "" {
		s.differs(o, d, got)
	}
}

func (s *story) differs(o *order, at string, got []string) {
	s.t.Helper()
	s.t.Fatalf("README.md:%d: %s$ %s\nprints\n%s\nand README.md says\n%s\nfirst difference: %s",
		o.line, o.machine, o.text, strings.Join(got, "\n"), strings.Join(o.prints, "\n"), at)
}

// meter is what one meter said.
type meter struct {
	last    int
	changed bool // by the new version
}

// judge looks at all that the meters said while versions changed: each message came once and in its
// order, and no meter was served by the old version after the new one.
func (s *story) judge() {
	s.t.Helper()
	seen := len(s.watched.lines())
	s.machines["plant"].until("all meters are served by the version that was kept", func() bool {
		after := map[string]bool{}
		for _, line := range s.watched.lines()[seen:] {
			topic, payload, _ := strings.Cut(line, " ")
			after[topic] = strings.HasPrefix(payload, "{")
		}
		delete(after, "meter/7/up")
		return len(after) == 6 && !slices.Contains(slices.Collect(maps.Values(after)), false)
	})
	meters := map[string]*meter{}
	for i, line := range s.watched.lines() {
		if topic, payload, _ := strings.Cut(line, " "); topic != "meter/7/up" {
			s.heard(meters, topic, payload, i < s.good)
		}
	}
	if s.good == 0 {
		s.t.Error("no swap was done")
	}
}

// heard takes one message. steady says that nobody goes back to the old version then.
func (s *story) heard(meters map[string]*meter, topic, payload string, steady bool) {
	s.t.Helper()
	n, changed := 0, strings.HasPrefix(payload, "{")
	if _, err := fmt.Sscanf(strings.TrimLeft(payload, `{"t:=`), "%d", &n); err != nil {
		s.t.Fatalf("%s %s: %v", topic, payload, err)
	}
	m := meters[topic]
	if m == nil {
		m = &meter{last: n - 1}
		meters[topic] = m
	}
	if n != m.last+1 {
		s.t.Errorf("%s: %d comes after %d", topic, n, m.last)
	}
	if m.changed && !changed && steady {
		s.t.Errorf("%s: %d is of the old version, after the new one", topic, n)
	}
	m.last, m.changed = n, changed
}
