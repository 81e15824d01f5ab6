package wasm

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/host/wasm/asm"
	"github.com/hpmq/hpmq/host/wasm/fuel"
)

// segmented has a passive segment of 250 elements.
func segmented() *asm.Module {
	m := asm.New()
	m.ExportFunc("f", m.Func(i32, i32, none, asm.LocalGet(0)))
	m.Raw(9, append(asm.Code([]byte{1, 0}, asm.U32(250)), make([]byte, 250)...))
	return m
}

// TestSegmentBombs: each instance has the elements of its segments.
func TestSegmentBombs(t *testing.T) {
	cfg := Default()
	cfg.TableElementsMax = 1000
	four := inOrder(segmented(), segmented(), segmented(), segmented())
	four.Exports = lift(coreFunc(0, "f"), number)
	if _, err := started(t, cfg, four); err != nil {
		t.Errorf("1000 elements of 1000: %v", err)
	}
	p := inOrder(segmented())
	for range 4 { // one module, five times
		p.Instances = append(p.Instances, p.Instances[0])
	}
	_, err := started(t, cfg, p)
	if !errors.Is(err, fuel.ErrLimit) || !strings.Contains(err.Error(), "element segments") {
		t.Errorf("1250 elements of 1000: %v", err)
	}
	core := asm.New()
	core.Func(none, none, none)
	for range 5 {
		core.Raw(9, append(asm.Code([]byte{1, 0}, asm.U32(250)), make([]byte, 250)...))
	}
	_, err = open(t, cfg).Compile(context.Background(), core.Bytes())
	if !errors.Is(err, fuel.ErrLimit) {
		t.Errorf("a core module with 1250 elements of 1000: %v", err)
	}
}

// TestValuesAliveAreBoundedTogether: modules that may each be compiled may not all be.
func TestValuesAliveAreBoundedTogether(t *testing.T) {
	m := asm.New()
	m.ExportFunc("f", m.Func(i32, i32, none, asm.LocalGet(0)))
	blocks := asm.Code(bytes.Repeat([]byte{0x02, 0x40, 0x0b}, 250)) // block, end
	for range 12 {
		m.Func(none, none, bytes.Repeat([]byte{asm.I32}, 2000), blocks)
	}
	_, err := started(t, Default(), inOrder(m, m, m))
	if !errors.Is(err, fuel.ErrLimit) || !strings.Contains(err.Error(), "together") {
		t.Errorf("three modules: %v", err)
	}
	l := &linker{e: open(t, Default())}
	most := uint64(fuel.DefaultLimits().AliveSumMax)
	for range 2 {
		if err := l.withinAlive(most); err != nil {
			t.Errorf("two modules at their bound: %v", err)
		}
	}
	if err := l.withinAlive(1); !errors.Is(err, fuel.ErrLimit) {
		t.Errorf("one more: %v", err)
	}
}

// TestWaitForTheCompiler: who gives up is told what it waited for.
func TestWaitForTheCompiler(t *testing.T) {
	e := open(t, Default())
	e.compiling <- struct{}{}
	e.compilingBytes.Store(4711)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := e.Compile(ctx, segmented().Bytes())
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "4711 bytes") {
		t.Errorf("%v", err)
	}
}
