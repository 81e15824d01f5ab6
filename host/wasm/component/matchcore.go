package component

import (
	"bytes"
	"fmt"
)

// module tells if got can stand for want: it asks for no more imports, and gives all exports.
func (m *matcher) module(got, want *CoreModuleType) error {
	if got == want {
		return nil
	}
	given := make(map[[2]string]CoreExtern, len(want.Imports))
	for _, i := range want.Imports {
		given[[2]string{i.Module, i.Name}] = i.CoreExtern
	}
	for _, i := range got.Imports {
		e, ok := given[[2]string{i.Module, i.Name}]
		if !ok {
			return fmt.Errorf("it imports %q %q, which it is not given", i.Module, i.Name)
		}
		if err := matchCore(&e, &i.CoreExtern); err != nil {
			return fmt.Errorf("import %q %q: %w", i.Module, i.Name, err)
		}
	}
	exports := coreExports(got.Exports)
	for _, e := range want.Exports {
		have, ok := exports[e.Name]
		if !ok {
			return fmt.Errorf("export %q is missing", e.Name)
		}
		if err := matchCore(&have, &e); err != nil {
			return fmt.Errorf("export %q: %w", e.Name, err)
		}
	}
	m.w.steps += len(got.Imports) + len(got.Exports) + len(want.Imports) + len(want.Exports)
	return m.w.over()
}

func coreExports(list []CoreExtern) map[string]CoreExtern {
	exports := make(map[string]CoreExtern, len(list))
	for _, e := range list {
		exports[e.Name] = e
	}
	return exports
}

// matchCore tells if a core item can be imported as want.
func matchCore(got, want *CoreExtern) error {
	if got.Sort != want.Sort {
		return fmt.Errorf("%s where %s is expected", got.Sort, want.Sort)
	}
	ok := true
	switch want.Sort {
	case CoreFunc:
		ok = got.Func.equal(want.Func)
	case CoreTable:
		ok = got.Elem == want.Elem && got.Table.within(want.Table)
	case CoreMemory:
		ok = got.Memory.Shared == want.Memory.Shared && got.Memory.within(want.Memory)
	case CoreGlobal:
		ok = got.Global == want.Global && got.Mut == want.Mut
	}
	if !ok {
		return fmt.Errorf("%s where %s is expected", got.describe(), want.describe())
	}
	return nil
}

func (f CoreFuncType) equal(g CoreFuncType) bool {
	return bytes.Equal(f.Params, g.Params) && bytes.Equal(f.Results, g.Results)
}

// within tells if limits are as tight as want.
func (l CoreLimits) within(want CoreLimits) bool {
	return l.Min >= want.Min && (!want.HasMax || l.HasMax && l.Max <= want.Max)
}

// describe says what a core item is, in the words of the text format.
func (e *CoreExtern) describe() string {
	switch e.Sort {
	case CoreFunc:
		return e.Func.String()
	case CoreTable:
		return fmt.Sprintf("(table %s %s)", e.Table, coreTypeName(e.Elem))
	case CoreMemory:
		return fmt.Sprintf("(memory %s)", e.Memory)
	}
	if e.Mut {
		return fmt.Sprintf("(global (mut %s))", coreTypeName(e.Global))
	}
	return fmt.Sprintf("(global %s)", coreTypeName(e.Global))
}

// String is the limits as in the text format.
func (l CoreLimits) String() string {
	s := fmt.Sprint(l.Min)
	if l.HasMax {
		s += fmt.Sprint(" ", l.Max)
	}
	return s
}

// String is the type as in the text format, cut where it is long.
func (f CoreFuncType) String() string {
	return "(func" + coreTypeList(" (param", f.Params) + coreTypeList(" (result", f.Results) + ")"
}

// coreTypesShown is how many types of a long list a message has.
const coreTypesShown = 20

func coreTypeList(open string, types []byte) string {
	if len(types) == 0 {
		return ""
	}
	for i, t := range types {
		if i == coreTypesShown {
			open += " …"
			break
		}
		open += " " + coreTypeName(t)
	}
	return open + ")"
}

func coreTypeName(b byte) string {
	switch b {
	case coreI32:
		return "i32"
	case coreI64:
		return "i64"
	case coreF32:
		return "f32"
	case coreF64:
		return "f64"
	case coreV128:
		return "v128"
	case coreFuncRef:
		return "funcref"
	case coreExtern:
		return "externref"
	}
	return fmt.Sprintf("0x%02x", b)
}
