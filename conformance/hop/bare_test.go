package hop

import (
	"testing"

	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/host/wasm"
)

// bare asks a guest with nothing around it: arguments are allocated and written, the function and
// its post-return are called, the answer is not read.
type bare struct {
	t     testing.TB
	guest *wasm.Guest
	fn    *wasm.Func
	stack [16]uint64
	used  int
}

// faces are the interfaces of the roles that take flat arguments.
var faces = map[link.Role]string{
	link.RoleAuthorizer: "authorizer", link.RoleTransformer: "transformer",
	link.RoleDeduplicator: "deduplicator", link.RoleRouter: "router",
}

func openBare(t testing.TB, e *wasm.Engine, r link.Role, code []byte) *bare {
	t.Helper()
	m, err := e.Compile(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close(t.Context()) })
	g, err := m.Instantiate(t.Context(), nil, wasm.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	f, err := g.Func("hpmq:broker/" + faces[r] + "@0.1.0#" + functions[r])
	if err != nil {
		t.Fatal(err)
	}
	return &bare{t: t, guest: g, fn: f}
}

func pass[T string | []byte](b *bare, s T) {
	ptr := uint32(1)
	if len(s) > 0 {
		var err error
		if ptr, err = b.guest.Alloc(uint32(len(s)), 1); err != nil {
			b.t.Fatal(err)
		}
		view, _ := b.guest.Memory().Read(ptr, uint32(len(s)))
		copy(view, s)
	}
	b.num(uint64(ptr))
	b.num(uint64(len(s)))
}

func (b *bare) num(v uint64) {
	b.stack[b.used] = v
	b.used++
}

func (b *bare) ask(r link.Role, q *question) {
	b.guest.Use(b.fn)
	b.used = 0
	for _, s := range [...]string{q.ClientID, q.Username, "192.0.2.1", "main", ""} {
		pass(b, s)
	}
	if r == link.RoleAuthorizer {
		b.num(0)
	}
	pass(b, q.Topic)
	if r == link.RoleTransformer || r == link.RoleDeduplicator {
		pass(b, q.Payload)
	}
	b.num(1)
	if r != link.RoleAuthorizer {
		b.num(0)
	}
	if err := b.guest.Call(b.fn, b.stack[:]); err != nil {
		b.t.Fatal(err)
	}
	if err := b.guest.Post(b.fn, b.stack[0]); err != nil {
		b.t.Fatal(err)
	}
}
