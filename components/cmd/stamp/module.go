package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// module is what stamp needs to know of a core module: who it imports from and what it exports.
type module struct {
	imports []string
	exports []string
}

var errShort = errors.New("not a whole core module")

// Section identifiers of the core binary format.
const (
	customSection = 0
	importSection = 2
	exportSection = 7
)

// check compares the module with the manifest.
func (m *manifest) check(mod *module) error {
	pkg, version, ok := strings.Cut(m.Contract, "@")
	if !ok {
		return fmt.Errorf("contract %q has no version", m.Contract)
	}
	var want []string
	for _, c := range m.Capabilities {
		want = append(want, pkg+"/"+c.Name+"@"+version)
	}
	lent := pkg + "/payload@" + version // which is no capability
	var have []string
	for _, name := range mod.imports {
		if name != "wasi_snapshot_preview1" && name != lent && !slices.Contains(have, name) {
			have = append(have, name)
		}
	}
	slices.Sort(want)
	slices.Sort(have)
	if !slices.Equal(want, have) {
		return fmt.Errorf("capabilities are %q, the module imports %q", want, have)
	}
	for _, face := range []string{"lifecycle", m.Role} {
		prefix := pkg + "/" + face + "@" + version + "#"
		if !slices.ContainsFunc(mod.exports, func(e string) bool {
			return strings.HasPrefix(e, prefix)
		}) {
			return fmt.Errorf("the module exports nothing of %s", strings.TrimSuffix(prefix, "#"))
		}
	}
	return nil
}

func parseModule(b []byte) (*module, error) {
	if len(b) < 8 || string(b[:8]) != "\x00asm\x01\x00\x00\x00" {
		return nil, errShort
	}
	mod := &module{}
	r := &reader{b: b[8:]}
	for len(r.b) > 0 && r.err == nil {
		id := r.byte()
		body := &reader{b: r.bytes()}
		switch id {
		case importSection:
			mod.readImports(body)
		case exportSection:
			mod.readExports(body)
		}
		if body.err != nil {
			return nil, body.err
		}
	}
	return mod, r.err
}

func (m *module) readImports(r *reader) {
	for n := r.uint(); n > 0 && r.err == nil; n-- {
		m.imports = append(m.imports, string(r.bytes()))
		r.bytes()
		if kind := r.byte(); kind != 0 {
			r.err = fmt.Errorf("imports something that is not a function (kind %d)", kind)
			return
		}
		r.uint()
	}
}

func (m *module) readExports(r *reader) {
	for n := r.uint(); n > 0 && r.err == nil; n-- {
		m.exports = append(m.exports, string(r.bytes()))
		r.byte()
		r.uint()
	}
}

// reader reads the core binary format; its first error stays.
type reader struct {
	b   []byte
	err error
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.err = errShort
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *reader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.err = errShort
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) bytes() []byte {
	n := r.uint()
	if r.err != nil || n > uint64(len(r.b)) {
		r.err = errShort
		r.b = nil
		return nil
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

// appendCustom adds a custom section at the end of a module.
func appendCustom(code []byte, name string, data []byte) []byte {
	body := binary.AppendUvarint(nil, uint64(len(name)))
	body = append(append(body, name...), data...)
	out := append(slices.Clip(code), customSection)
	out = binary.AppendUvarint(out, uint64(len(body)))
	return append(out, body...)
}
