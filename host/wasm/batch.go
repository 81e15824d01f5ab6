package wasm

import (
	"context"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/hpmq/hpmq/host/wasm/plan"
)

// Room is memory that AllocAll asks a guest for: Size bytes aligned to Align, a power of 2. At is
// the answer.
type Room struct{ Size, Align, At uint32 }

// batchMax is how much room one entry asks for: the strings of an identity, a topic and a payload.
// So many parameters and results are in registers of amd64.
const batchMax = 7

// batch is an allocator of one guest, called by a module of ours that stands beside the guest, has
// no memory and counts nothing: what is spent is what the allocator spends.
type batch struct {
	fn api.Function
	// stack holds the alignment above the size, 0 for nothing, and then the addresses.
	stack [batchMax]uint64
}

const (
	batchModule = "guest"
	batchExport = "batch"
)

// batchCode is that module for an allocator of that name. Its function has for each parameter that
// is not 0 a call, in their order.
func batchCode(name string) []byte {
	const i32, i64 = 0x7f, 0x7e
	code := []byte("\x00asm\x01\x00\x00\x00")
	section := func(id byte, body ...byte) {
		code = appendLength(append(code, id), len(body))
		code = append(code, body...)
	}
	types := []byte{2, 0x60, 4, i32, i32, i32, i32, 1, i32, 0x60}
	for _, t := range [...]byte{i64, i32} {
		types = append(types, batchMax)
		for range batchMax {
			types = append(types, t)
		}
	}
	section(1, types...)
	imports := append([]byte{1}, withLength(batchModule)...)
	section(2, append(append(imports, withLength(name)...), 0, 0)...)
	section(3, 1, 1)
	section(7, append(append([]byte{1}, withLength(batchExport)...), 0, 1)...)
	body := []byte{0} // no locals
	for i := range byte(batchMax) {
		body = append(body,
			0x20, i, 0x50, // local.get i, i64.eqz
			0x04, i32, 0x41, 0, // if (result i32), i32.const 0
			0x05, 0x41, 0, 0x41, 0, // else: old and its size
			0x20, i, 0x42, 32, 0x88, 0xa7, // the alignment: local.get i, i64.shr_u 32, i32.wrap
			0x20, i, 0xa7, // the size: local.get i, i32.wrap
			0x10, 0, 0x0b) // call, end
	}
	body = append(body, 0x0b)
	section(10, append(appendLength([]byte{1}, len(body)), body...)...)
	return code
}

func withLength(name string) []byte { return append(appendLength(nil, len(name)), name...) }

//go:noinline
func appendLength(b []byte, n int) []byte {
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

// compileBatches compiles for the allocators of exports. To the engine the same code is the same:
// nearly all of them have one name.
func (m *Module) compileBatches(ctx context.Context) error {
	for _, ex := range m.exports {
		if ex.err != nil || ex.view >= len(m.views) {
			continue
		}
		v := &m.views[ex.view]
		if v.realloc == nil || v.slot < 0 || v.realloc.Instance < 0 || m.batches[v.slot] != nil {
			continue
		}
		made, err := m.engine.compileCode(ctx, batchCode(v.realloc.Name))
		if err != nil {
			return err
		}
		m.cores = append(m.cores, made)
		m.batches[v.slot] = made
	}
	return nil
}

// Batch makes AllocAll one entry into the guest where f is at hand. It takes 20 µs and 15 KB and
// belongs to link time. Where it cannot be, AllocAll does without.
func (g *Guest) Batch(f *Func) error {
	if g.dead || g.closed {
		return g.gone("batch")
	}
	for i := range g.views {
		if v := &g.views[i]; v == f.view && v.batch == nil {
			return g.makeBatch(v, &g.module.views[i])
		}
	}
	return nil
}

func (g *Guest) makeBatch(v *view, p *viewPlan) error {
	if v.realloc == nil || g.module.batches[p.slot] == nil {
		return nil
	}
	if v.batch = g.batches[p.slot]; v.batch != nil {
		return nil
	}
	c, err := g.instantiateBatch(g.module.batches[p.slot], *p.realloc)
	if err != nil {
		return fmt.Errorf("wasm: batch: %w", err)
	}
	g.beside = append(g.beside, c)
	v.batch = &batch{fn: c.ExportedFunction(batchExport)}
	g.batches[p.slot] = v.batch
	return nil
}

func (g *Guest) instantiateBatch(code wazero.CompiledModule, d plan.CoreDef) (api.Module, error) {
	ctx := experimental.WithImportResolver(context.Background(), func(string) api.Module {
		return g.cores[d.Instance]
	})
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions()
	return g.module.engine.runtime.InstantiateModule(ctx, code, config)
}

// AllocAll is Alloc for each of rooms, in their order: they get At. It is one entry into the guest
// for each seven of them after Batch. It is not for host functions.
func (g *Guest) AllocAll(rooms []Room) error {
	if g.here.batch == nil || g.dead || g.closed || g.state != idle {
		return g.allocEach(rooms)
	}
	for len(rooms) > 1 {
		n := min(len(rooms), batchMax)
		if err := g.allocBatch(rooms[:n]); err != nil {
			return err
		}
		rooms = rooms[n:]
	}
	return g.allocEach(rooms)
}

func (g *Guest) allocEach(rooms []Room) (err error) {
	for i := range rooms {
		r := &rooms[i]
		if r.At, err = g.Alloc(r.Size, r.Align); err != nil {
			return err
		}
	}
	return nil
}

// allocBatch enters the guest once, for at most batchMax.
func (g *Guest) allocBatch(rooms []Room) error {
	if !g.armed {
		g.arm(g.perCall)
	}
	b, all := g.here.batch, g.module.form == ComponentForm
	b.stack = [batchMax]uint64{}
	for i := range rooms {
		if r := &rooms[i]; all || r.Size > 0 {
			b.stack[i] = uint64(r.Align)<<32 | uint64(r.Size)
		}
	}
	g.state = allocating
	err := b.fn.CallWithStack(&g.ctx, b.stack[:])
	g.state = idle
	if err != nil {
		return g.die(reallocExport, err)
	}
	size := g.here.memory.Size()
	for i := range rooms {
		r := &rooms[i]
		if r.At = uint32(b.stack[i]); r.Size == 0 && !all {
			r.At = r.Align
		} else if !r.fits(size) {
			return g.die(reallocExport, r.refused(size))
		}
	}
	return nil
}

// asks tells if the guest is asked for so many bytes: a component is for 0 too.
func (g *Guest) asks(size uint32) bool { return size > 0 || g.module.form == ComponentForm }

// fits tells if what the guest answered can be used in a memory of that size.
func (r *Room) fits(memory uint32) bool {
	return r.At&(r.Align-1) == 0 && uint64(r.At)+uint64(r.Size) <= uint64(memory)
}

func (r *Room) refused(memory uint32) error {
	return &guestFault{text: fmt.Sprintf("answers %#x for %d bytes aligned to %d, memory has %d",
		r.At, r.Size, r.Align, memory)}
}
