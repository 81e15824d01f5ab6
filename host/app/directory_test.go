package app

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/sdk/client"
)

// Who names what is not there is told what is, and who names a file that is not what to do.
func TestErrorsSayTheWayOut(t *testing.T) {
	a := start(t, keeping(t, t.TempDir(), "plant", "office"), Options{})
	c := ask(t, a)
	_, err := c.Swap(t.Context(), client.Swap{
		Listener: "plnat", Role: "router", Use: "router-rules",
	})
	says(t, err, "plnat", "name one that there is: office, plant")
	_, err = c.AddListener(t.Context(), []byte(`{"name": "plant", "bind": "tcp://127.0.0.1:0"}`))
	says(t, err, "the name is taken", "take another name")
	_, err = trustOf(&configs.Trust{Keys: []configs.TrustedKey{{
		Name: "acme", Key: filepath.Join(t.TempDir(), "acme.pem"), Names: []string{"*"},
	}}})
	says(t, err, "key acme", "put the public key there")
	var names []string
	for i := range 20 {
		names = append(names, fmt.Sprint("l", i))
	}
	if got := thereAre(names); !strings.HasSuffix(got, "l15, and 4 more") {
		t.Error(got)
	}
	if got := thereAre(nil); !strings.Contains(got, "add it first") {
		t.Error(got)
	}
}
