package interop

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/conformance/process"
)

// patience is how long a client waits for what must come.
const patience = 20 * time.Second

// start runs a broker as its README says, but on free ports.
func start(t *testing.T) *process.Broker {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and runs the real binaries")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	bin, _, err := process.Build(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	b, err := process.Start(ctx, bin, "--listen", "tcp://127.0.0.1:0", "--admin", "127.0.0.1:0",
		"--data", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Stop)
	return b
}

// client is one MQTT client library in one version of MQTT.
type client interface {
	// Subscribe answers once the broker has granted filter at qos.
	Subscribe(t *testing.T, filter string, qos byte)
	// Publish answers once the broker has acknowledged, as far as qos has that.
	Publish(t *testing.T, m message)
	// Next is the next message that came.
	Next(t *testing.T) message
	Close()
}

type message struct {
	Topic    string
	Payload  string
	QoS      byte
	Retained bool
}

func TestClients(t *testing.T) {
	b := start(t)
	libraries := map[string]func(*testing.T, string, string) client{
		"paho 3.1.1": dialPaho3, "paho 5": dialPaho5,
	}
	for pubName, dialPub := range libraries {
		for subName, dialSub := range libraries {
			t.Run(pubName+" to "+subName, func(t *testing.T) {
				root := strings.ReplaceAll(t.Name(), " ", "_")
				sub := dialSub(t, b.MQTT, "sub")
				defer sub.Close()
				pub := dialPub(t, b.MQTT, "pub")
				defer pub.Close()
				exchange(t, pub, sub, root)
				retained(t, pub, func() client { return dialSub(t, b.MQTT, "late") }, root)
			})
		}
	}
}

// exchange brings messages of each QoS through, and expects the lower of both QoS.
func exchange(t *testing.T, pub, sub client, root string) {
	t.Helper()
	sub.Subscribe(t, root+"/two/#", 2)
	sub.Subscribe(t, root+"/one/+", 1)
	for qos := range byte(3) {
		m := message{Topic: fmt.Sprintf("%s/two/%d", root, qos), Payload: "pay", QoS: qos}
		pub.Publish(t, m)
		if got := sub.Next(t); got != m {
			t.Errorf("got %+v, want %+v", got, m)
		}
		m.Topic = root + "/one/x"
		pub.Publish(t, m)
		m.QoS = min(m.QoS, 1)
		if got := sub.Next(t); got != m {
			t.Errorf("got %+v, want %+v", got, m)
		}
	}
}

// retained leaves a message that a later subscriber gets, then takes it away.
func retained(t *testing.T, pub client, dial func() client, root string) {
	t.Helper()
	m := message{Topic: root + "/kept", Payload: "state", QoS: 1, Retained: true}
	pub.Publish(t, m)
	late := dial()
	late.Subscribe(t, root+"/kept", 2)
	if got := late.Next(t); got != m {
		t.Errorf("got %+v, want %+v", got, m)
	}
	late.Close()
	pub.Publish(t, message{Topic: m.Topic, QoS: 1, Retained: true})
	later := dial()
	defer later.Close()
	later.Subscribe(t, root+"/#", 2)
	mark := message{Topic: root + "/mark", Payload: "live", QoS: 1}
	pub.Publish(t, mark)
	if got := later.Next(t); got != mark {
		t.Errorf("got %+v, want %+v: the retained message is still there", got, mark)
	}
}

// Debian's clients, in every version they speak.
func TestMosquittoClients(t *testing.T) {
	for _, name := range []string{"mosquitto_pub", "mosquitto_sub"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%s is not installed: apt-get install mosquitto-clients", name)
		}
	}
	b := start(t)
	host, port, _ := strings.Cut(b.MQTT, ":")
	for _, version := range []string{"mqttv31", "mqttv311", "mqttv5"} {
		for qos := range 3 {
			t.Run(fmt.Sprintf("%s qos %d", version, qos), func(t *testing.T) {
				where := []string{"-h", host, "-p", port, "-V", version, "-q", fmt.Sprint(qos)}
				topic := fmt.Sprintf("mosquitto/%s/%d", version, qos)
				// A retained message needs no order of start between the two.
				run(t, "mosquitto_pub", append(where, "-t", topic, "-m", "hello", "-r")...)
				out := run(t, "mosquitto_sub",
					append(where, "-t", topic, "-C", "1", "-W", "20", "-F", "%t %p %q %r")...)
				want := fmt.Sprintf("%s hello %d 1\n", topic, qos)
				if out != want {
					t.Errorf("got %q, want %q", out, want)
				}
			})
		}
	}
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).Output()
	if err != nil {
		t.Fatalf("%s %s: %v", name, strings.Join(args, " "), err)
	}
	return string(out)
}
