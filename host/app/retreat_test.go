package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/sdk/client"
	"github.com/hpmq/hpmq/sdk/section"
)

// variant is the candidate as another .wasm, sent to the broker under a name.
func (s *stage) variant(name string) (source string) {
	s.t.Helper()
	code, err := os.ReadFile("../link/testdata/components/transformer.wasm")
	if err != nil {
		s.t.Fatal(err)
	}
	up, err := s.client.Upload(s.t.Context(), name+".wasm",
		section.WithCustom(code, "by", []byte(name)))
	if err != nil {
		s.t.Fatal(err)
	}
	return up.Source
}

// takes has the listener other link a transformer; edit may say more of it.
func (s *stage) takes(id, source string, edit func(*client.NewChange)) {
	s.t.Helper()
	n := client.NewChange{ID: id, Items: []client.ChangeItem{
		{Listener: "other", Role: "transformer", Source: source, Grants: []string{}}}}
	if edit != nil {
		edit(&n)
	}
	s.submit(n)
	s.reaches(id, "done")
}

// loses ends the node, takes what was sent away from it, and starts it again.
func (s *stage) loses(source string) {
	s.t.Helper()
	stopped(s.t, s.App)
	_, digest, _ := sentSource(source)
	at := filepath.Join(s.cfg.DataDir, "bundles", strings.TrimPrefix(digest, "sha256:"))
	if err := os.Remove(at); err != nil {
		s.t.Fatal(err)
	}
	s.again()
}

func (s *stage) again() {
	s.t.Helper()
	s.clock = newHandClock()
	s.App = start(s.t, s.cfg, Options{clock: s.clock})
	s.client = ask(s.t, s.App)
}

// has says what is linked to the listener other, now and after another restart.
func (s *stage) has(role, want string) {
	s.t.Helper()
	for range 2 {
		if got := linkedIn(s.t, s.App, "other", role); got != want {
			s.t.Errorf("%s %s is linked, not %s", role, got, want)
		}
		stopped(s.t, s.App)
		s.again()
	}
}

// routes has the listener other redirect messages, beside its transformer.
func (s *stage) routes(to string) {
	s.t.Helper()
	if _, err := s.client.Swap(s.t.Context(), client.Swap{Listener: "other", Role: "router",
		Use: "router-rules", Config: redirect("a", to)}); err != nil {
		s.t.Fatal(err)
	}
}

// TestAStartGoesBackByRole: a role that can be linked stays as it is.
func TestAStartGoesBackByRole(t *testing.T) {
	s := newStage(t, t.TempDir(), Options{})
	s.routes("b")
	s.routes("c")
	s.takes("1", s.variant("one"), nil)
	two := s.variant("two")
	s.takes("2", two, nil)
	s.loses(two)
	s.has("transformer", "one")
	if got := goes(t, s.App, "other", "a"); got != "c" {
		t.Errorf("the router goes to %s", got)
	}
	done, err := s.client.Rollback(t.Context(), client.Rollback{Listener: "other", Role: "router"})
	if err != nil {
		t.Fatal(err)
	}
	if got := goes(t, s.App, "other", "a"); got != "b" {
		t.Errorf("rolled back, the router goes to %s: %+v", got, done)
	}
}

// TestAStartThatCannotInstantiate goes back by role too: it is there, and compiles, but there is no
// room for it any more.
func TestAStartThatCannotInstantiate(t *testing.T) {
	const enough = 2 << 20
	s := newStageWith(t, t.TempDir(), Options{}, func(c *configs.Config) {
		for i := range c.Listeners {
			c.Listeners[i].Link = configs.Link{Transformer: []configs.Component{
				{Use: "transformer-json", Memory: enough}}}
		}
	})
	s.takes("1", s.variant("one"), nil)
	s.takes("2", s.variant("two"), func(n *client.NewChange) {
		n.Items[0].Limits = &client.ChangeLimits{MemoryBytesMax: 16 << 20}
		n.Items = append(n.Items, client.ChangeItem{Listener: "other", Role: "router",
			Source: "router-rules", Config: redirect("a", "b"),
			Limits: &client.ChangeLimits{MemoryBytesMax: enough}})
	})
	stopped(t, s.App)
	s.cfg.Wasm.ListenerMemoryMax = 30 * configs.MiB
	s.again()
	s.has("transformer", "one")
	if got := goes(t, s.App, "other", "a"); got != "b" {
		t.Errorf("the router goes to %s", got)
	}
}

// TestAStartDoesNotGoForth to what somebody went away from, by the tables or by a change.
func TestAStartDoesNotGoForth(t *testing.T) {
	for _, restart := range []bool{false, true} {
		t.Run(fmt.Sprint("restart ", restart), func(t *testing.T) {
			s := newStage(t, t.TempDir(), Options{})
			one := s.variant("one")
			s.takes("1", one, nil)
			s.takes("2", s.variant("two"), nil)
			if restart {
				stopped(t, s.App)
				s.again()
			}
			_, err := s.client.Rollback(t.Context(),
				client.Rollback{Listener: "other", Role: "transformer"})
			if err != nil {
				t.Fatal(err)
			}
			if got := linkedIn(t, s.App, "other", "transformer"); got != "one" {
				t.Errorf("%s is linked", got)
			}
			s.loses(one)
			s.has("transformer", "transformer-json")
		})
	}
}

// TestAStartDoesNotGoBackToWhatIsInQuarantine, though it served this listener well.
func TestAStartDoesNotGoBackToWhatIsInQuarantine(t *testing.T) {
	s := newStage(t, t.TempDir(), Options{})
	s.takes("1", s.candidate(), nil)
	two := s.variant("two")
	s.takes("2", two, nil)
	s.condemns(s.change("bad", "l"))
	s.loses(two)
	s.has("transformer", "transformer-json")
}
