package link

import (
	"encoding/binary"
	"errors"

	"github.com/hpmq/hpmq/host/wasm"
)

// block is memory of the guest that belongs to the host: a guest that exports argumentsExport or
// countedExport gives it once, and arguments are written there instead of being allocated one by
// one. Uncounted they hold until the call returns. Counted they hold until the guest has freed
// them: the first word of the block is how many it has not, and nothing is written before it is 0.
// See wit/README.md.
type block struct {
	at, size uint32
	counted  bool
	memory   wasm.Memory // it is in
	view     []byte      // of it, while a call is prepared and the block can be had
	used     int
	pieces   uint32
}

// Both are func(size: u32) -> u32, the address of a block of that size.
const (
	argumentsExport = "hpmq_arguments"
	countedExport   = "hpmq_counted_arguments"
)

// argumentsSize is enough for who a client is, a topic and a usual payload.
const argumentsSize = 8 << 10

// countSize is what the count takes of a block.
const countSize = 8

// openBlock asks for the block, if the guest gives one where the first function of its role has its
// arguments. A component gives it by its core module.
func (in *instance) openBlock() error {
	for _, name := range []string{argumentsExport, countedExport} {
		fn, err := in.guest.Beside(in.fns[0], name)
		if err == nil && fn.Is([]wasm.ValueType{wasm.I32}, []wasm.ValueType{wasm.I32}) {
			if err = in.takeBlock(fn); err != nil {
				return err
			}
			in.block.counted = name == countedExport
			break
		}
		if err != nil && !errors.Is(err, wasm.ErrNoExport) {
			return err
		}
	}
	return in.batch()
}

func (in *instance) takeBlock(fn *wasm.Func) error {
	in.use(fn)
	in.num(argumentsSize)
	at, err := in.call()
	if err != nil {
		return err
	}
	memory := in.guest.Memory()
	if _, ok := memory.Read(at, argumentsSize); !ok || at == 0 {
		return garbage("the block of arguments is at %d", at)
	}
	in.block = block{at: at, size: argumentsSize, memory: memory}
	return nil
}

// batch has all arguments of a call given room by one entry into the guest, where they do not
// always go to the block.
func (in *instance) batch() error {
	for _, fn := range in.fns {
		if fn == nil {
			continue
		}
		b := &in.block
		if in.guest.Use(fn); b.size > 0 && !b.counted && in.guest.Memory() == b.memory {
			continue
		}
		if err := in.guest.Batch(fn); err != nil {
			return err
		}
	}
	return nil
}

// open makes the block ready for the arguments of a call, if it is in that memory.
func (b *block) open(m wasm.Memory) {
	b.view, b.used, b.pieces = nil, 0, 0
	if m != b.memory {
		return
	}
	view, _ := m.Read(b.at, b.size)
	if b.counted {
		if len(view) == 0 || binary.LittleEndian.Uint32(view) != 0 {
			return // the guest keeps something of a call before
		}
		b.used = countSize
	}
	b.view = view
}

// seal ends the writing, before the guest runs.
func (b *block) seal() {
	if b.counted && b.view != nil {
		binary.LittleEndian.PutUint32(b.view, b.pieces)
	}
	b.view = nil
}
