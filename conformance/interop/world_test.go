package interop

import (
	"context"
	"crypto/x509"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hpmq/hpmq/conformance/pki"
	"github.com/hpmq/hpmq/conformance/process"
)

var (
	require = flag.Bool("interop.require", false, "fail where a client is not installed")
	binary  = flag.String("interop.hpmq", "", "try this hpmq, not one of these sources")
)

// missing ends a test of a client that is not installed: CI must have all of them.
func missing(t *testing.T, what, install string) {
	t.Helper()
	if *require || os.Getenv("CI") != "" {
		t.Fatalf("%s is not there, CI needs it: %s", what, install)
	}
	t.Skipf("%s IS NOT TESTED, it is not there: %s", what, install)
}

// world is a running broker.
type world struct {
	// urls are its listeners by name.
	urls map[string]string
	// ca is the file of the authority that signed for them, pool the same.
	ca   string
	pool *x509.CertPool
	last atomic.Int64
	// closers end what was started beside the broker, before it.
	closers []func(*testing.T)
}

// id is a client id or a topic that nobody has. It is short enough for MQTT 3.1.
func (w *world) id() string { return fmt.Sprintf("interop-%d", w.last.Add(1)) }

// newWorld starts a broker that ends with the test.
func newWorld(t *testing.T) *world {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and runs the real binaries")
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	bin := *binary
	if bin == "" {
		var err error
		if bin, _, err = process.Build(ctx, t.TempDir()); err != nil {
			t.Fatal(err)
		}
	}
	authority, err := pki.NewAuthority("interop")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{ca: filepath.Join(t.TempDir(), "ca.pem"), pool: authority.Pool()}
	if err := os.WriteFile(w.ca, authority.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := process.StartIn(ctx, certificates(t, authority), bin, "--config", "hpmq.yaml")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, f := range w.closers {
			f(t)
		}
		b.Stop()
		if t.Failed() {
			t.Logf("the broker wrote:\n%s", b.Log())
		}
	})
	w.urls = b.Listeners
	for _, name := range []string{"ws", "wss"} {
		w.urls[name] = strings.TrimSuffix(w.urls[name], "/mqtt") + "/mqtt"
	}
	return w
}

// certificates are the settings of a certificate on the listeners tls and wss.
func certificates(t *testing.T, authority *pki.Authority) []string {
	t.Helper()
	leaf := pki.Leaf{Name: "localhost", Hosts: []string{"127.0.0.1", "localhost"}}
	pair, err := authority.Issue(leaf)
	if err != nil {
		t.Fatal(err)
	}
	pem, key, err := pair.Save(t.TempDir(), "server")
	if err != nil {
		t.Fatal(err)
	}
	value := "__TLS__CERTIFICATES=[{certificate: " + pem + ", key: " + key + "}]"
	return []string{"HPMQ_LISTENERS__1" + value, "HPMQ_LISTENERS__3" + value}
}

// parse is url.Parse of what must be one.
func parse(t *testing.T, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// next waits for one message.
func next(t *testing.T, in <-chan message) message {
	t.Helper()
	select {
	case m := <-in:
		return m
	case <-time.After(patience):
		t.Fatal("no message came")
		return message{}
	}
}

// table is the first table of a Markdown file below its head, cells joined by bars.
func table(t *testing.T, file string) (rows []string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			if len(rows) > 0 {
				break
			}
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, strings.Join(cells, "|"))
	}
	return rows[min(2, len(rows)):]
}
