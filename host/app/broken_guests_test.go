//go:build unix

package app

import (
	"bytes"
	"os"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/wasm/asm"
	"github.com/hpmq/hpmq/sdk/client"
	"github.com/hpmq/hpmq/sdk/section"
)

const (
	configureExport = "hpmq:broker/lifecycle@0.1.0#configure"
	checkExport     = "hpmq:broker/deduplicator@0.1.0#check"
)

// guestOf is what the test guests of host/link are made of.
func guestOf(name string) []byte {
	b, err := os.ReadFile(testGuests + name + ".wasm")
	if err != nil {
		panic(err) // it is in the tree
	}
	return b
}

// stamped is code that says of itself what it does.
func stamped(code []byte, text string) []byte {
	body := append([]byte{byte(len(section.Manifest))}, section.Manifest...)
	body = append(body, text...)
	return append(append(bytes.Clone(code), 0), asm.Bytes(body)...)
}

func stampedAs(text string) func(p *parcel) {
	return func(p *parcel) { p.fill("dedup.wasm", stamped(guestOf("deduplicator-kv"), text)) }
}

// deduplicator is a module in the making with all that one exports; what is asked for is imported.
func deduplicator(imports ...[2]string) *asm.Module {
	m := asm.New()
	for _, i := range imports {
		m.Import(i[0], i[1], asm.Types(asm.I32), nil)
	}
	m.Memory(1, 0)
	words := bytes.Repeat([]byte{asm.I32}, 16)
	trap := asm.Op(asm.Unreachable)
	m.ExportFunc("cabi_realloc", m.Func(words[:4], words[:1], nil, trap))
	m.ExportFunc(configureExport, m.Func(nil, words[:1], nil, trap))
	m.ExportFunc(checkExport, m.Func(words, words[:1], nil, trap))
	return m
}

// starting is one that does something when it is made.
func starting(body ...[]byte) []byte {
	m := deduplicator()
	m.Start(m.Func(nil, nil, nil, body...))
	return m.Bytes()
}

// exporting is one whose check has other parameters, without realloc if that is so.
func exporting(realloc bool, check ...byte) []byte {
	m := asm.New()
	m.Memory(1, 0)
	one, trap := asm.Types(asm.I32), asm.Op(asm.Unreachable)
	if realloc {
		m.ExportFunc("cabi_realloc", m.Func(bytes.Repeat(one, 4), one, nil, trap))
	}
	m.ExportFunc(configureExport, m.Func(nil, one, nil, trap))
	m.ExportFunc(checkExport, m.Func(check, one, nil, trap))
	return m.Bytes()
}

// brokenGuests come without a bundle, and cannot be compiled.
func brokenGuests() []broken {
	return []broken{{
		name: "a module that was cut short", of: "compile",
		wrong: "unexpected end", do: "give a component of a world of wit/",
		wasm: guestOf("deduplicator-kv")[:1800],
	}, {
		name: "a module with code that does not fit", of: "compile",
		wrong: "cannot pop the 1st operand", do: "give a component of a world of wit/",
		wasm: starting(asm.Op(asm.I32Add)),
	}, {
		name: "an import that nobody serves", of: "compile",
		wrong: "not provided: env fopen", do: "build it against wit/",
		wasm: deduplicator([2]string{"env", "fopen"}).Bytes(),
	}, {
		name: "an interface that no version has", of: "compile",
		wrong: "hpmq:broker/oracle@0.1.0", do: "build it against wit/",
		wasm: deduplicator([2]string{"hpmq:broker/oracle@0.1.0", "ask"}).Bytes(),
	}, {
		name: "an interface in a version of the future", of: "compile",
		wrong: "this host serves 0.1 of hpmq:broker/kv", do: "build it against wit/",
		wasm: deduplicator([2]string{"hpmq:broker/kv@9.9.0", "get"}).Bytes(),
	}, {
		name: "a function that an interface has not", of: "compile",
		wrong: "not provided: hpmq:broker/kv@0.1.0 steal", do: "build it against wit/",
		wasm: deduplicator([2]string{"hpmq:broker/kv@0.1.0", "steal"}).Bytes(),
	}, {
		name: "a function with other parameters", of: "compile",
		wrong: "wanted as (i32) -> (), is (i32, i32, i64, i32) -> ()", do: "build it against wit/",
		wasm: deduplicator([2]string{"hpmq:broker/kv@0.1.0", "increment"}).Bytes(),
	}}
}

// brokenStamps say of themselves what cannot be.
func brokenStamps() []broken {
	return []broken{{
		name: "a manifest in the module that is no JSON", of: "manifest",
		wrong: "its manifest is not good", do: "rebuild the component",
		wasm: stamped(good(), "name: acme"),
	}, {
		name: "a module that says twice who it is", of: "manifest",
		wrong: "hpmq:manifest: it has more than one custom section", do: "rebuild it, so that",
		wasm: stamped(stamped(good(), `{"name": "acme"}`), `{"name": "router-rules"}`),
	}, {
		name: "a module made for a later contract", of: "manifest",
		wrong: `it is made for "hpmq:broker@9.9.0"`, do: "build it against wit/",
		wasm: stamped(good(), `{"contract": "hpmq:broker@9.9.0"}`),
	}, {
		name: "a module made as another role", of: "manifest",
		wrong: `its manifest says it is made as "router"`, do: "link it in that role",
		wasm: stamped(good(), `{"role": "router"}`),
	}, {
		name: "a module with a name that breaks a topic", of: "manifest",
		wrong: `"acme/#" is no name for a component`, do: "name it",
		wasm: stamped(good(), `{"name": "acme/#"}`),
	}, {
		name: "a module with a version that is none", of: "manifest",
		wrong: "its manifest has no good version", do: "rebuild it with a version",
		wasm: stamped(good(), `{"name": "acme", "version": "1/2"}`),
	}}
}

// brokenExports cannot be asked, or ask for what they do not get.
func brokenExports() []broken {
	return []broken{{
		name: "a module without exports", of: "exports",
		wrong: "no hpmq:broker/lifecycle@0.1.0#configure", do: "build it against the world",
		wasm: asm.New().Bytes(),
	}, {
		name: "a guest of another role", of: "exports",
		wrong: "no hpmq:broker/deduplicator@0.1.0#check", do: "it is made as router",
		wasm: guestOf("router"),
	}, {
		name: "a check with other parameters", of: "exports",
		wrong: "hpmq:broker/deduplicator@0.1.0#check as", do: "build it against the world",
		wasm: exporting(true, asm.I64, asm.F64),
	}, {
		name: "no way to give it memory", of: "exports",
		wrong: "it exports no cabi_realloc", do: "build it against the world",
		wasm: exporting(false, bytes.Repeat([]byte{asm.I32}, 16)...),
	}, {
		name: "a capability that it is not granted", of: "imports",
		wrong: "it wants kv, which it is not granted", do: "--grant kv",
		wasm:   good(),
		change: asking(func(it *client.ChangeItem) { it.Grants = []string{} }),
	}, {
		name: "a grant that there is not", of: "request",
		wrong: `there is no capability "root" to grant`, do: "grant some of",
		wasm:   good(),
		change: asking(func(it *client.ChangeItem) { it.Grants = []string{"root"} }),
	}, {
		name: "a variable that is none", of: "request",
		wrong: `"A=B" with "c" is no variable`, do: "correct env",
		wasm:   good(),
		change: asking(func(it *client.ChangeItem) { it.Env = map[string]string{"A=B": "c"} }),
	}, {
		name: "a place behind the last", of: "request",
		wrong: "there is no place 5", do: "or the one after the last",
		wasm:   good(),
		change: asking(func(it *client.ChangeItem) { it.Position = 5 }),
	}}
}

// brokenStarts are no good once they are there.
func brokenStarts() []broken {
	return []broken{{
		name: "a trap in start", of: "instantiate",
		wrong: "start: trap: unreachable", do: "look for its lines in the log",
		wasm: starting(asm.Op(asm.Unreachable)),
	}, {
		name: "a start that never ends", of: "instantiate",
		wrong: "start: out of fuel", do: "if it never ends, ask its author",
		wasm:   starting(asm.Loop(asm.Empty, asm.Br(0))),
		change: wordsOf(""),
	}, {
		name: "a start that calls itself", of: "instantiate",
		wrong: "nested too deep", do: "ask its author",
		wasm: recursive(),
	}, {
		name: "a start that reads behind its memory", of: "instantiate",
		wrong: "out of bounds memory access", do: "look for its lines in the log",
		wasm: starting(asm.I32Const(-4), asm.I32Load(0), asm.Op(asm.Drop)),
	}, {
		name: "more memory than it may have", of: "instantiate",
		wrong: "it may have, with 67108864 bytes", do: "write memory: ",
		wasm: large(),
		change: asking(func(it *client.ChangeItem) {
			it.Limits = &client.ChangeLimits{MemoryBytesMax: 1 << 20}
		}),
	}, {
		name: "more memory than the listener has", of: "budget",
		wrong: "all of listener l together may take 300MiB", do: "listener_memory_max: ",
		wasm: good(),
		change: func(n *client.NewChange) { // each is fine, both are not
			other := n.Items[0]
			other.Position = 1
			n.Items = append(n.Items, other)
		},
	}, {
		name: "a configuration that the guest refuses", of: "configure",
		wrong: "the component says: no good", do: "correct its configuration",
		wasm: good(), change: wordsOf("configure:error;"),
	}, {
		name: "a trap while it is configured", of: "configure",
		wrong: "#configure: trap", do: "look for its lines in the log",
		wasm: good(), change: wordsOf("configure:trap;"),
	}, {
		name: "no end of being configured", of: "configure",
		wrong: "#configure: out of fuel", do: "give it less configuration",
		wasm: good(), change: wordsOf("configure:loop;"),
	}, {
		name: "garbage for an answer of configure", of: "configure",
		wrong: "configure outcome 7", do: "ask its author",
		wasm: good(), change: wordsOf("configure:garbage;"),
	}, {
		name: "an interest in a filter that is none", of: "configure",
		wrong: "a/#/b", do: "correct its configuration",
		wasm: good(), change: wordsOf("in=a/#/b;"),
	}}
}

func good() []byte { return guestOf("deduplicator-kv") }

// wordsOf configures a guest, with little fuel for it.
func wordsOf(text string) func(n *client.NewChange) {
	return asking(func(it *client.ChangeItem) {
		it.Config = map[string]any{"words": text}
		it.Limits = &client.ChangeLimits{StartFuel: 100_000}
	})
}

// recursive is one whose start calls itself.
func recursive() []byte {
	m := deduplicator()
	const self = 3 // behind realloc, configure, check
	m.Start(m.Func(nil, nil, nil, asm.Call(self)))
	return m.Bytes()
}

// large begins with 64 MiB.
func large() []byte {
	m := asm.New()
	m.Memory(1024, 0)
	one, trap := asm.Types(asm.I32), asm.Op(asm.Unreachable)
	m.ExportFunc("cabi_realloc", m.Func(bytes.Repeat(one, 4), one, nil, trap))
	m.ExportFunc(configureExport, m.Func(nil, one, nil, trap))
	m.ExportFunc(checkExport, m.Func(bytes.Repeat(one, 16), one, nil, trap))
	return m.Bytes()
}

// brokenRequests ask for what makes no sense.
func brokenRequests() []broken {
	const shipped = "router-rules"
	return []broken{{
		name: "a role that nobody has", of: "prepare", source: shipped,
		wrong: `no role "oracle"`, do: "the roles are",
		change: asking(func(it *client.ChangeItem) { it.Role = "oracle" }),
	}, {
		name: "a place that is named twice", of: "submit", source: shipped,
		wrong: "the place 0 is named twice", do: "name each once",
		change: func(n *client.NewChange) { n.Items = append(n.Items, n.Items[0]) },
	}, {
		name: "a source for what is taken out", of: "submit", source: shipped,
		wrong: "items: 0", do: "give a source, or say remove",
		change: asking(func(it *client.ChangeItem) { it.Remove = true }),
	}, {
		name: "the id of another change", of: "submit", source: shipped,
		wrong: "asked for something else", do: "give this one an id of its own",
		change: func(n *client.NewChange) { n.ID = "good" },
	}, {
		name: "an id that swaps have", of: "submit", source: shipped,
		wrong: "swap-… is what swaps are called", do: "take another",
		change: func(n *client.NewChange) { n.ID = "swap-1" },
	}, {
		name: "a time that is none", of: "submit", source: shipped,
		wrong: `watch: "a while" is no time`, do: "write 30s",
		change: func(n *client.NewChange) { n.Watch = "a while" },
	}, {
		name: "a canary that shrinks", of: "submit", source: shipped,
		wrong: "canary: step 2", do: "percents grow",
		change: func(n *client.NewChange) {
			n.Canary = &client.CanaryPlan{Steps: []client.CanaryStep{
				{Percent: 50, Dwell: "1s"}, {Percent: 5, Dwell: "1s"},
			}}
		},
	}, {
		name: "an id that no command takes", of: "submit", source: shipped,
		wrong: "expected string to be letters, digits", do: "(body.id)",
		change: func(n *client.NewChange) { n.ID = "a b/c" },
	}, {
		name: "a canary of a filter that is none", of: "submit", source: shipped,
		wrong: `canary.filters: "a/#/b" is no topic filter`, do: "# at the end alone",
		change: func(n *client.NewChange) {
			n.Canary = &client.CanaryPlan{Filters: []string{"a/+", "a/#/b"}}
		},
	}, {
		name: "a canary of all lists and nobody", of: "submit", source: shipped,
		wrong: "with all a step after it would be fewer", do: "leave all out",
		change: func(n *client.NewChange) {
			n.Canary = &client.CanaryPlan{All: true, Clients: []string{"a"},
				Steps: []client.CanaryStep{{Dwell: "1s"}, {Percent: 5, Dwell: "1s"}}}
		},
	}, {
		name: "nothing to take out", of: "request", source: shipped,
		wrong: "no place 0 as worker", do: "name a place that is taken",
		change: asking(func(it *client.ChangeItem) {
			it.Role, it.Source, it.Remove = "worker", "", true
		}),
	}, {
		name: "a default component in a role of another", of: "manifest", source: shipped,
		wrong: `router-rules as deduplicator`, do: "link it in that role",
		change: asking(func(*client.ChangeItem) {}),
	}}
}

// brokenConfigs are configurations that a running broker is to take.
func brokenConfigs() []broken {
	link := func(edit func(l *configs.Link)) func(c *configs.Config) {
		return func(c *configs.Config) { edit(&c.Listeners[0].Link) }
	}
	router := func(c configs.Component) func(c *configs.Config) {
		return link(func(l *configs.Link) { l.Router = []configs.Component{c} })
	}
	return []broken{{
		name: "a file that is not there", of: "reload",
		wrong: "./nowhere.wasm", do: "name a default component or a .wasm file",
		reload: router(configs.Component{Use: "./nowhere.wasm"}),
	}, {
		name: "a file that is no component", of: "reload",
		wrong: "listener l is refused at step compile", do: "give a component",
		reload: router(configs.Component{Use: "./broken_test.go"}),
	}, {
		name: "a default component that there is not", of: "reload",
		wrong: `"router-roles" is no default component`, do: "did you mean",
		reload: router(configs.Component{Use: "router-roles"}),
	}, {
		name: "a rule that the component does not know", of: "reload",
		wrong: "rules[0].redirekt", do: "correct its configuration",
		reload: router(configs.Component{Use: "router-rules", Config: map[string]any{
			"rules": []any{map[string]any{"filter": "#", "redirekt": "a"}}}}),
	}, {
		name: "a key that is none", of: "reload",
		wrong: `"MCowBQ" is no public key`, do: "write the key that",
		reload: func(c *configs.Config) {
			c.Trust.Keys = []configs.TrustedKey{{Name: "k", Key: "MCowBQ", Names: []string{"*"}}}
		},
	}, {
		name: "another folder for what is kept", of: "reload",
		wrong: "data_dir", do: "restart",
		reload: func(c *configs.Config) { c.DataDir += "2" },
	}}
}
