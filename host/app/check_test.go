package app

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/configs"
)

const testGuests = "../link/testdata/"

// refusals are links that a start refuses, by what it says.
func refusals() map[string]configs.Link {
	of := func(use string, config configs.Document) []configs.Component {
		return []configs.Component{{Use: use, Config: config}}
	}
	user := map[string]any{"name": "joe", "hash": "secret"}
	return map[string]configs.Link{
		"step read: open ./nothere.wasm": {Transformer: of("./nothere.wasm", nil)},
		"step configure: wasm: set up: configure: the component says: config: users[0].hash": {
			Authenticator: of("authenticator-file", configs.Document{"users": []any{user}})},
		"it wants publish, which it is not granted": {Worker: of(testGuests+"worker.wasm", nil)},
		"it is made as router: link it in that role": {
			Transformer: of(testGuests+"router.wasm", nil)},
		"step compile": {Router: of("./check.go", nil)},
	}
}

// TestCheckRefusesWhatAStartRefuses, in the same words, one by one and all at once.
func TestCheckRefusesWhatAStartRefuses(t *testing.T) {
	all := testConfig()
	all.DataDir = filepath.Join(t.TempDir(), "data")
	for says, bad := range refusals() {
		one := testConfig("a")
		one.Listeners[0].Link = bad
		_, err := Check(t.Context(), one, nil)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("no %q in: %v", says, err)
		}
		a, refused := Open(t.Context(), one, Options{})
		if refused == nil {
			t.Fatalf("%s: the node started: %v", says, a.Close())
		}
		if err != nil && !strings.Contains(refused.Error(), err.Error()) {
			t.Errorf("check says: %v\nthe start: %v", err, refused)
		}
		l := one.Listeners[0]
		l.Name, l.Bind = "l"+strconv.Itoa(len(all.Listeners)), "tcp://127.0.0.1:0"
		all.Listeners = append(all.Listeners, l)
	}
	_, err := Check(t.Context(), all, nil)
	for says := range refusals() {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("no %q in: %v", says, err)
		}
	}
	if _, err := os.Stat(all.DataDir); !os.IsNotExist(err) {
		t.Errorf("the data folder: %v", err)
	}
}

// TestCheckOpensNothing: what a running node holds does not disturb it.
func TestCheckOpensNothing(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	cfg := testConfig("a", "b")
	cfg.DataDir = filepath.Join(t.TempDir(), "data")
	cfg.Listeners[0].Bind = "tcp://" + taken.Addr().String()
	cfg.Listeners[0].Link = configs.Link{Worker: []configs.Component{{
		Use: testGuests + "worker.wasm", Grants: []string{"publish"},
	}}}
	if _, err := Check(t.Context(), cfg, nil); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(cfg.DataDir); !os.IsNotExist(err) {
		t.Errorf("the data folder: %v", err)
	}
}
