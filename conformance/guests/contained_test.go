package guests

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/host/wasm/asm"
	"github.com/hpmq/hpmq/lite/broker"
)

// neighbour is another listener with a component of its own, asked all the time by its loop.
type neighbour struct {
	stop    chan struct{}
	done    chan struct{}
	answers atomic.Int64
	wrong   int
	slowest time.Duration
}

// ask begins. The listener is linked on l already.
func (n *neighbour) ask(p broker.Policy) {
	n.stop, n.done = make(chan struct{}), make(chan struct{})
	m := broker.Message{Topic: []byte("a/raw"), Payload: []byte("t=21.5;h=48")}
	go func() {
		defer close(n.done)
		for {
			select {
			case <-n.stop:
				return
			default:
			}
			begin := time.Now()
			var out []broker.Message
			v := p.Transform(0, broker.Upstream, &broker.Identity{ClientID: "dev1"}, &m, &out)
			n.slowest = max(n.slowest, time.Since(begin))
			n.answers.Add(1)
			if v != broker.Replace || string(out[0].Payload) != `{"t":21.5,"h":48}` {
				n.wrong++
			}
			runtime.Gosched()
		}
	}()
}

// meanwhile runs what is hostile while the neighbour is asked, again and again until that has
// answered a hundred times. How long it took is printed, and judged by nobody: the answers are.
func meanwhile(t *testing.T, l *link.Linker, hostile func()) {
	t.Helper()
	code, err := os.ReadFile("policy/c/policy.wasm")
	if err != nil {
		t.Fatal(err)
	}
	err = l.Link(t.Context(), "neighbour", link.Spec{link.RoleTransformer: {
		{Use: "policy", Code: code, Limits: link.Limits{Fuel: generous}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	var n neighbour
	n.ask(l.Policy("neighbour", 0))
	begin := time.Now()
	hostile()
	for n.answers.Load() < 100 {
		hostile()
	}
	took := time.Since(begin)
	close(n.stop)
	<-n.done
	t.Logf("%d answers of the neighbour in %v, the slowest in %v", n.answers.Load(), took,
		n.slowest)
	if n.wrong > 0 {
		t.Errorf("the neighbour answered %d times, %d times wrong", n.answers.Load(), n.wrong)
	}
	if c := component0(l, "neighbour"); c.Faults > 0 || c.Name == "" {
		t.Errorf("the neighbour has %d faults: %s", c.Faults, c.LastFault)
	}
}

// component0 is what Show says of the one component of a listener.
func component0(l *link.Linker, listener string) link.ComponentView {
	for _, shown := range l.Show() {
		if shown.Listener == listener && len(shown.Components) == 1 {
			return shown.Components[0]
		}
	}
	return link.ComponentView{}
}

// TestHostileCallsMeanwhile: what a linked guest does when it is asked, in both forms. The broker
// goes on without it.
func TestHostileCallsMeanwhile(t *testing.T) {
	const folder = "../../host/link/testdata/"
	for form, file := range map[string]string{
		"core": "transformer.wasm", "component": "components/transformer.wasm",
	} {
		code, err := os.ReadFile(folder + file)
		if err != nil {
			t.Fatal(err)
		}
		for how, cause := range map[string]string{
			"loop": "fuel", "deep": "too deep", "bomb": "unreachable", "trap": "unreachable",
		} {
			t.Run(form+"/"+how, func(t *testing.T) {
				l := policyLinker(t, policyEngine(t, false))
				meanwhile(t, l, func() { askHostile(t, l, code, how, cause) })
			})
		}
	}
}

// askHostile links the guest and asks it until its breaker is open.
func askHostile(t *testing.T, l *link.Linker, code []byte, how, cause string) {
	t.Helper()
	err := l.Link(t.Context(), "main", link.Spec{link.RoleTransformer: {{
		Use: how, Code: code, Config: []byte(`"call:` + how + `"`), OnFault: link.FaultOpen,
	}}})
	if err != nil {
		t.Fatal(err)
	}
	p, m := l.Policy("main", 0), broker.Message{Topic: []byte("a"), Payload: []byte("x")}
	for deadline := time.Now().Add(2 * time.Minute); ; runtime.Gosched() {
		v := p.Transform(0, broker.Upstream, &broker.Identity{}, &m, &[]broker.Message{})
		if v != broker.Keep {
			t.Fatalf("verdict %v", v)
		}
		c := component0(l, "main")
		if c.Breaker == "open" {
			if !strings.Contains(c.LastFault, cause) {
				t.Errorf("the last fault is %s", c.LastFault)
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the breaker never opened")
		}
	}
}

// byHand writes components by hand, as no toolchain would.
type byHand []byte

func wrapper() byHand { return byHand("\x00asm\x0d\x00\x01\x00") }

func (b byHand) section(id byte, body ...byte) byHand {
	b = append(b, id)
	return append(appendCount(b, len(body)), body...)
}

func appendCount(b []byte, n int) []byte {
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

// around is a component with one instance of a core module.
func around(core []byte) []byte {
	return wrapper().section(1, core...).section(2, 1, 0, 0, 0)
}

// doubling has in each level two instances of the level below: 2^n in all.
func doubling(n int) []byte {
	m := asm.New()
	b := around(m.Bytes())
	for range n {
		b = wrapper().section(4, b...).section(5, 2, 0, 0, 0, 0, 0, 0)
	}
	return b
}

// nested has nothing but a component in a component in a component.
func nested(n int) []byte {
	b := wrapper()
	for range n {
		b = wrapper().section(4, b...)
	}
	return b
}

// typeTree imports a function of a tuple of two tuples of two tuples …
func typeTree(n int) []byte {
	types := appendCount(nil, n+2)
	types = append(types, 0x6f, 2, 0x77, 0x77)
	for i := range n {
		types = append(types, 0x6f, 2, byte(i), byte(i))
	}
	types = append(types, 0x40, 1, 1, 'x', byte(n), 1, 0)
	return wrapper().section(7, types...).section(10, 1, 0, 1, 'f', 1, byte(n+1))
}

// instances has so many instances of one core module.
func instances(n int) []byte {
	list := appendCount(nil, n)
	for range n {
		list = append(list, 0, 0, 0)
	}
	return wrapper().section(1, asm.New().Bytes()...).section(2, list...)
}

// module builds a core module.
func module(build func(m *asm.Module)) []byte {
	m := asm.New()
	build(m)
	return m.Bytes()
}

// TestHostileBinariesMeanwhile: what is refused while it is read, compiled or started, by words
// that say why, while the other listener is served.
func TestHostileBinariesMeanwhile(t *testing.T) {
	none := asm.Types()
	forever := asm.Loop(asm.Empty, asm.Br(0))
	cores := map[string]struct {
		code []byte
		want string
	}{
		"start loops": {module(func(m *asm.Module) {
			m.Start(m.Func(none, none, none, forever))
		}), "out of fuel"},
		"start recurses": {module(func(m *asm.Module) {
			m.Start(m.Func(none, none, none, asm.Call(0)))
		}), "deep"},
		"table bomb":  {module(func(m *asm.Module) { m.Table(1<<26, 0) }), "elements"},
		"memory bomb": {module(func(m *asm.Module) { m.Memory(65536, 0) }), "memory"},
		"huge data segment": {module(func(m *asm.Module) {
			m.Memory(1, 1)
			m.Data(0, make([]byte, 20<<20))
		}), "out of bounds"},
		"100 MB": {append(module(func(*asm.Module) {}), make([]byte, 100<<20)...), "bytes"},
	}
	binaries := map[string]struct {
		code []byte
		want string
	}{
		"component/2^30 instances":     {doubling(30), "instances"},
		"component/nested 10000 times": {nested(10_000), "in each other"},
		"component/a type of 2^40":     {typeTree(40), "type"},
		"component/1000000 instances":  {instances(1_000_000), "more than"},
	}
	for name, c := range cores {
		binaries["core/"+name] = c
		c.code = around(c.code)
		binaries["component/"+name] = c
	}
	for name, c := range binaries {
		t.Run(name, func(t *testing.T) { refused(t, c.code, c.want) })
	}
}

// refused wants an error with a word of why.
func refused(t *testing.T, code []byte, want string) {
	t.Helper()
	e := policyEngine(t, false)
	var err error
	meanwhile(t, policyLinker(t, e), func() { err = start(e, code) })
	t.Logf("%d bytes: %v", len(code), err)
	if err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 4096 {
		t.Errorf("%.300v, want %s", err, want)
	}
}

// start goes all the way that a link goes, up to the first question.
func start(e *wasm.Engine, code []byte) error {
	m, err := e.Compile(context.Background(), code)
	if err != nil {
		return err
	}
	defer func() { _ = m.Close(context.Background()) }()
	g, err := m.Instantiate(context.Background(), nil, wasm.Limits{StartFuel: 20_000_000})
	if err != nil {
		return err
	}
	g.Close()
	return fmt.Errorf("it runs")
}
