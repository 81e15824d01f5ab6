package interop

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// mosquitto is Debian's command line clients: mosquitto_sub runs from Subscribe to Close,
// mosquitto_pub once for each message.
type mosquitto struct {
	s      settings
	common []string

	sub     *exec.Cmd
	stderr  bytes.Buffer // to be read once sub has ended
	granted chan byte
	in      chan message
	done    chan struct{}
}

func openMosquitto(t *testing.T, w *world) dialer {
	for _, name := range []string{"mosquitto_pub", "mosquitto_sub"} {
		if _, err := exec.LookPath(name); err != nil {
			missing(t, name, "apt-get install mosquitto-clients")
		}
	}
	// Without it what mosquitto_sub says comes late.
	if _, err := exec.LookPath("stdbuf"); err != nil {
		missing(t, "stdbuf", "apt-get install coreutils")
	}
	return func(t *testing.T, s settings) client {
		t.Helper()
		u := parse(t, s.URL)
		v := "mqttv" + strings.ReplaceAll(s.Version, ".", "")
		common := []string{"-h", u.Hostname(), "-p", u.Port(), "-V", v}
		if u.Scheme == "tls" {
			common = append(common, "--cafile", w.ca)
		}
		return &mosquitto{s: s, common: common, granted: make(chan byte, 1),
			in: make(chan message, 256), done: make(chan struct{})}
	}
}

// flags are those of the connection of mosquitto_sub.
func (x *mosquitto) flags() []string {
	args := append([]string{"-i", x.s.ID}, x.common...)
	v5 := x.s.Version == "5"
	if x.s.KeepSeconds > 0 {
		args = append(args, "-c")
		if v5 {
			args = append(args, "-x", fmt.Sprint(x.s.KeepSeconds))
		}
	}
	if w := x.s.Will; w != nil {
		args = append(args, "--will-topic", w.Topic, "--will-payload", w.Payload,
			"--will-qos", fmt.Sprint(w.QoS))
		if w.Retained {
			args = append(args, "--will-retain")
		}
		if v5 {
			args = append(args, userFlags("will", w.Properties)...)
			args = append(args, "-D", "will", "will-delay-interval", fmt.Sprint(w.DelaySeconds))
		}
	}
	return args
}

func userFlags(packet, properties string) (args []string) {
	for _, p := range pairs(properties) {
		args = append(args, "-D", packet, "user-property", p[0], p[1])
	}
	return args
}

// Subscribe can be called once: mosquitto_sub knows no other way.
func (x *mosquitto) Subscribe(t *testing.T, filter string, qos byte) byte {
	t.Helper()
	args := append([]string{"-oL", "mosquitto_sub", "-d", "-t", filter, "-q", fmt.Sprint(qos),
		"-F", ">%q|%r|%t|%P|%p"}, x.flags()...)
	x.sub = exec.Command("stdbuf", args...)
	x.sub.Stderr = &x.stderr
	out, err := x.sub.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := x.sub.Start(); err != nil {
		t.Fatal(err)
	}
	go x.read(out)
	select {
	case granted := <-x.granted:
		return granted
	case <-x.done:
		t.Fatalf("mosquitto_sub ended: %s", &x.stderr)
	case <-time.After(patience):
		t.Fatal("mosquitto_sub has no subscription")
	}
	return 0
}

var subscribed = regexp.MustCompile(`^Subscribed \(mid: [0-9]+\): ([0-9]+)$`)

// read takes apart what mosquitto_sub says: messages as of the format above, and debug lines.
func (x *mosquitto) read(out io.Reader) {
	defer close(x.done)
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line, isMessage := strings.CutPrefix(lines.Text(), ">")
		if p := strings.SplitN(line, "|", 5); isMessage && len(p) == 5 {
			properties := strings.ReplaceAll(p[3], ":", "=")
			x.in <- message{p[2], p[4], p[0][0] - '0', p[1] == "1", properties}
		}
		if m := subscribed.FindStringSubmatch(line); m != nil {
			select {
			case x.granted <- m[1][0] - '0':
			default: // it is back after a loss of its connection
			}
		}
	}
	_ = x.sub.Wait()
}

func (x *mosquitto) Publish(t *testing.T, m message) {
	t.Helper()
	args := append([]string{"-t", m.Topic, "-q", fmt.Sprint(m.QoS)}, x.common...)
	if m.Payload == "" {
		args = append(args, "-n")
	} else {
		args = append(args, "-m", m.Payload)
	}
	if m.Retained {
		args = append(args, "-r")
	}
	if x.s.Version == "5" {
		args = append(args, userFlags("publish", m.Properties)...)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "mosquitto_pub", args...).CombinedOutput(); err != nil {
		t.Fatalf("mosquitto_pub: %v: %s", err, out)
	}
}

func (x *mosquitto) Next(t *testing.T) message { t.Helper(); return next(t, x.in) }

// Close ends mosquitto_sub, soon by force if its connection was cut and it waits for another.
func (x *mosquitto) Close() {
	if x.sub == nil || x.sub.Process == nil {
		return
	}
	_ = x.sub.Process.Signal(syscall.SIGTERM)
	grace := patience // it has to say DISCONNECT
	if x.s.Lost != nil && x.s.Lost() {
		grace = time.Second
	}
	select {
	case <-x.done:
	case <-time.After(grace):
		_ = x.sub.Process.Kill()
		<-x.done
	}
}
