package demo

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed testdata/languages.yaml
var languagesFile []byte

// Guest is the policy of conformance/guests/policy, built in one language.
type Guest struct{ Language, File string }

// Guests are the components in folders, LANGUAGE/policy.wasm, in the order of the languages' names.
func Guests(folders ...string) ([]Guest, error) {
	var list []Guest
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(folder, "*", "policy.wasm"))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			list = append(list, Guest{Language: filepath.Base(filepath.Dir(file)), File: file})
		}
	}
	slices.SortFunc(list, func(a, b Guest) int { return strings.Compare(a.Language, b.Language) })
	return list, nil
}

// through is a message that the policy let pass, changed on its way in and on its way out.
const through shape = "through"

// policed is a scene for the policy: each kind of change that it makes, in turn.
func policed() scene {
	return scene{
		device: "dev-7", watch: "devices/#", username: "admin",
		says: func(seq int) (topic, payload string) {
			switch seq % 3 {
			case 0:
				return "devices/dev-7/up", fmt.Sprintf(`{"seq":%d,"temp":21.5}`, seq)
			case 1:
				return "devices/dev-7/raw", fmt.Sprintf("seq=%d;temp=21.5", seq)
			}
			return "devices/dev-7/list/batch", fmt.Sprintf(`[ {"seq":%d} ]`, seq)
		},
		shape: func(topic string, r *reading) shape {
			due := []string{"devices/dev-7/up", "devices/dev-7/json", "devices/dev-7/list"}[r.Seq%3]
			if topic != due || r.To != "watcher" {
				return raw
			}
			return through
		},
	}
}

// Languages lets one listener change its authorizer and its transformer from language to language
// while messages flow. An error is a step that did not end as told; faults are in the report.
func Languages(ctx context.Context, o Options, guests []Guest) (Report, error) {
	if len(guests) == 0 {
		return Report{}, errors.New("demo: no guests; make guests builds them")
	}
	dir, err := os.MkdirTemp("", "hpmq-demo-")
	if err != nil {
		return Report{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	first, err := os.ReadFile(guests[0].File)
	if err != nil {
		return Report{}, err
	}
	s := &story{o: o, dir: dir}
	files := map[string][]byte{"hpmq.yaml": languagesFile, "first.wasm": first}
	if err := s.start(ctx, policed(), files); err != nil {
		return Report{}, err
	}
	return s.tell(ctx, func(ctx context.Context) error {
		for i, g := range guests {
			if err := s.speak(ctx, i, g); err != nil {
				return fmt.Errorf("demo: %s: %w", g.Language, err)
			}
		}
		return nil
	})
}

// speak lets a guest serve for a while; the first is linked already.
func (s *story) speak(ctx context.Context, i int, g Guest) error {
	code, err := os.ReadFile(g.File)
	if err != nil {
		return err
	}
	s.say("%d: %s, %d KB.", i+1, g.Language, (len(code)+1023)/1024)
	if i > 0 {
		for _, role := range []string{"authorizer", "transformer"} {
			if err := s.swap(ctx, role, g.File, "--grant", "kv,history,publish"); err != nil {
				return err
			}
		}
	}
	if err := s.t.until(ctx, through, s.o.Each); err != nil {
		return err
	}
	return s.serves(ctx, code, "authorizer", "transformer")
}

// serves sees that in these roles the component of this code is the one that was asked, without a
// fault.
func (s *story) serves(ctx context.Context, code []byte, roles ...string) error {
	sum := sha256.Sum256(code)
	digest := hex.EncodeToString(sum[:])
	out, err := s.cli(ctx, "link", "show", "--json")
	if err != nil {
		return fmt.Errorf("link show: %w: %s", err, out)
	}
	var list []struct {
		Role, Digest, Form string
		Calls, Faults      int
	}
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		return err
	}
	for _, c := range list {
		if !slices.Contains(roles, c.Role) {
			continue
		}
		s.quote(fmt.Sprintf("%s: a %s, %d calls, %d faults", c.Role, c.Form, c.Calls, c.Faults))
		if c.Digest != digest || c.Faults != 0 || c.Role == "transformer" && c.Calls == 0 {
			return fmt.Errorf("the %s is %+v, should be %s and asked", c.Role, c, digest)
		}
	}
	return nil
}
