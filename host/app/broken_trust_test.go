//go:build unix

package app

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/hpmq/hpmq/host/rollout"
	"github.com/hpmq/hpmq/sdk/bundle/oci"
	"github.com/hpmq/hpmq/sdk/bundle/sign"
	"github.com/hpmq/hpmq/sdk/client"
)

// brokenTrust are good bundles that nobody vouches for.
func brokenTrust() []broken {
	return []broken{{
		name: "no signature", of: "verified",
		wrong: "it is not signed", do: "sign it with hpmq-cli bundle sign",
		parcel: func(p *parcel) { p.keys = nil },
	}, {
		name: "signed by a key that nobody knows", of: "verified",
		wrong: "which is not trusted", do: "name the key in trust.keys",
		parcel: func(p *parcel) { p.keys = []string{"a stranger's"} },
	}, {
		name: "signed by a key for other names", of: "verified",
		wrong: "key theirs signed it and may ship other-* alone", do: "add that to its names",
		parcel: func(p *parcel) { p.keys = []string{"theirs"} },
	}, {
		name: "a tampered manifest under a signature of what it was", of: "verified",
		wrong: "key ours signed other content under this name and version", do: "do not use it",
		parcel: func(p *parcel) {
			p.claim = func(s *sign.Statement) { s.Manifest = string(oci.DigestOf(nil)) }
		},
	}, {
		name: "the signature of an older version", of: "verified",
		wrong: "the signature of key ours is of another bundle: acme-dedup 1.1.0",
		do:    "get the signature of this bundle",
		parcel: func(p *parcel) {
			p.claim = func(s *sign.Statement) { s.Version = "1.1.0" }
		},
	}, {
		name: "a signature that was altered", of: "verified",
		wrong: "its signature says it is by key ours and is not", do: "get it again",
		parcel: func(p *parcel) {
			p.envelopes = func(list [][]byte) [][]byte {
				other, err := sign.Sign(key(p.t, "theirs"), sign.Statement{Name: "acme-dedup",
					Version: "1.2.0", Manifest: string(oci.DigestOf(nil))})
				if err != nil {
					p.t.Fatal(err)
				}
				theirs, ours := key(p.t, "theirs").Public(), key(p.t, "ours").Public()
				return [][]byte{bytes.ReplaceAll(other, []byte(theirs.ID()), []byte(ours.ID()))}
			}
		},
	}, {
		name: "a signature that is none", of: "verified",
		wrong: "what stands beside it as a signature is none", do: "sign it again",
		parcel: func(p *parcel) {
			p.envelopes = func([][]byte) [][]byte { return [][]byte{[]byte("-----BEGIN PGP-----")} }
		},
	}, {
		name: "a component without a bundle", of: "verified",
		wrong: `a .wasm alone has no signature, and trust.unsigned does not name "nobody"`,
		do:    "send it in a bundle that a trusted key signed",
		wasm:  stamped(guestOf("deduplicator-kv"), `{"name": "nobody"}`),
	}, {
		name: "more signatures than anybody looks at", of: "verified",
		wrong: "65 signatures are beside it", do: "leave those that count",
		parcel: func(p *parcel) {
			p.envelopes = func(list [][]byte) [][]byte {
				var before [][]byte
				for i := range sign.EnvelopesMax {
					before = append(before, bytes.Repeat([]byte(" "), i+1))
				}
				return append(before, list...)
			}
		},
	}}
}

// brokenFits are good bundles that are not for this broker, link or place.
func brokenFits() []broken {
	return []broken{{
		name: "made for a broker of the future", of: "verified",
		wrong: "requires hpmq:broker@9.9, which this broker does not have", do: "update",
		parcel: func(p *parcel) { p.manifest["requires"] = []any{"hpmq:broker@9.9"} },
	}, {
		name: "a key of the configuration that the schema does not know", of: "verified",
		wrong: "windoze: unknown key", do: "known keys: words",
		change: configuredBy(map[string]any{"words": "", "windoze": 1}),
	}, {
		name: "a value of another type than the schema wants", of: "verified",
		wrong: "words: got number", do: "want string",
		change: configuredBy(map[string]any{"words": 7}),
	}, {
		name: "a configuration without what it must have", of: "verified",
		wrong: "its schema wants it: config", do: "missing property 'words'",
		change: configuredBy(map[string]any{}),
	}, {
		name: "a bundle for another role", of: "fetched",
		wrong: "none serves as router", do: "has acme-dedup as deduplicator",
		change: asking(func(it *client.ChangeItem) { it.Role = "router" }),
	}, {
		name: "a component that is not in the bundle", of: "fetched",
		wrong: "none is acme-window as deduplicator", do: "has acme-dedup as deduplicator",
		change: asking(func(it *client.ChangeItem) { it.Component = "acme-window" }),
	}, {
		name: "a bundle with two for the role", of: "fetched",
		wrong: "acme-dedup as deduplicator, acme-other as deduplicator",
		do:    "name one of them as component",
		parcel: func(p *parcel) {
			other := map[string]any{}
			for k, v := range p.one() {
				other[k] = v
			}
			other["name"] = "acme-other"
			p.manifest["components"] = []any{p.one(), other}
		},
	}}
}

// brokenPromises do not do what they are said to, or were better before.
func brokenPromises() []broken {
	return []broken{{
		name: "a golden case that does not hold", of: "tested",
		wrong: `it answers "repeated", and must answer "news"`, do: "tell its author",
		parcel: func(p *parcel) {
			p.fill("seen.json", bytes.ReplaceAll([]byte(goodCase), []byte(`"repeated"`),
				[]byte(`"news"`)))
		},
	}, {
		name: "a golden case in which it traps", of: "tested",
		wrong: "trap: unreachable", do: "tell its author",
		parcel: func(p *parcel) {
			p.fill("seen.json", bytes.ReplaceAll([]byte(goodCase), []byte("window=1000;"),
				[]byte("call:trap;")))
		},
	}, {
		name: "a golden case whose configuration it refuses", of: "tested",
		wrong: "configure: it answers no good", do: "tell its author",
		parcel: func(p *parcel) {
			p.fill("seen.json", bytes.ReplaceAll([]byte(goodCase), []byte("window=1000;"),
				[]byte("configure:error;")))
		},
	}, {
		name: "an older version than is linked", of: "version",
		wrong: "acme-dedup 1.1.0 is older than 1.2.0", do: "say force",
		parcel: func(p *parcel) { p.manifest["version"] = "1.1.0" },
	}, {
		name: "a release candidate of what is linked", of: "version",
		wrong: "acme-dedup 1.2.0-rc.1 is older than 1.2.0", do: "say force",
		parcel: func(p *parcel) { p.manifest["version"] = "1.2.0-rc.1" },
	}, {
		name: "a name that nothing has", of: "fetched", source: "deduplicator-windw",
		wrong: `"deduplicator-windw" is nothing that can be linked`, do: "name a component",
	}, {
		name: "what was never sent", of: "fetched",
		source: "x@" + string(oci.DigestOf([]byte("never"))),
		wrong:  "it is not there", do: "send it again",
	}, {
		name: "one broken bundle beside a good one", of: "fetched",
		wrong: "none serves as authorizer", do: "has acme-dedup as deduplicator",
		change: func(n *client.NewChange) {
			other := n.Items[0]
			other.Role = "authorizer"
			n.Items = append(slices.Clone(n.Items), other)
		},
	}}
}

// asking changes what is asked for.
func asking(edit func(it *client.ChangeItem)) func(n *client.NewChange) {
	return func(n *client.NewChange) { edit(&n.Items[0]) }
}

func configuredBy(c map[string]any) func(n *client.NewChange) {
	return asking(func(it *client.ChangeItem) { it.Config = c })
}

// What a stranger's bundle says is not looked at: who signed it is asked before.
func TestWhatAStrangerSaysIsNotRead(t *testing.T) {
	cfg := keeping(t, t.TempDir(), "l")
	trusting(t, &cfg, "acme-*")
	a := start(t, cfg, Options{})
	for _, change := range []func(*parcel){
		filled("seen.json", repeating), filled("schema.json", `{"type": 1}`),
		filled("sbom.spdx.json", "{}"), filled("dedup.wasm", "text"),
		func(p *parcel) { p.one()["defaults"] = map[string]any{"words": 7} },
	} {
		p := newParcel(t)
		p.keys = []string{"a stranger's"}
		change(p)
		it := rollout.Item{Listener: "l", Role: "deduplicator"}
		opened, err := openTar(p.tar())
		if err != nil {
			t.Fatal("it was read:", err)
		}
		art, err := opened.choose(it)
		if err != nil {
			t.Fatal("it was read:", err)
		}
		var r *sign.Refusal
		if err := (source{a}).Verify(t.Context(), it, art); !errors.As(err, &r) {
			t.Errorf("it was read: %v", err)
		}
	}
}
