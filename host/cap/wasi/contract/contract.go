// Package contract has the functions of WASI 0.2 as the WIT of 0.2.12 says: their names, core
// types, shapes. Later patches of 0.2 only added to it. It does not know what the functions do.
package contract

import (
	_ "embed"
	"strings"
)

// Version is that of the WIT. Guests that ask for another patch of 0.2 are served by this one.
const Version = "0.2.12"

// table begins with names of types: "NAME = SHAPE". Then there is a line for each interface, and
// below it, indented, one for each of its resources and functions: name, core parameters, core
// results, shape. Core types are letters as abi.Types takes them, "-" for none. $NAME stands for
// the shape of that name.
//
//go:embed wasi-0.2.12.txt
var table string

// Interface is one of WASI 0.2.
type Interface struct {
	// Name is without a version: "wasi:io/poll".
	Name      string
	Resources []string
	Functions []Function
}

// Function is one of an interface. Params and Results are core types, as abi.Types takes them.
type Function struct {
	Name            string
	Params, Results string
	Shape           string
}

// All are the interfaces of the table.
func All() []Interface {
	var all []Interface
	named := map[string]string{}
	for line := range strings.Lines(table) {
		text, inside := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "\t")
		if !inside {
			if name, shape, ok := strings.Cut(text, " = "); ok {
				named[name] = expand(shape, named)
			} else {
				all = append(all, Interface{Name: text})
			}
			continue
		}
		in := &all[len(all)-1]
		if name, ok := strings.CutPrefix(text, "resource "); ok {
			in.Resources = append(in.Resources, name)
			continue
		}
		f := strings.SplitN(text, " ", 4)
		in.Functions = append(in.Functions, Function{
			Name: f[0], Params: strings.Trim(f[1], "-"), Results: strings.Trim(f[2], "-"),
			Shape: expand(f[3], named),
		})
	}
	return all
}

// expand puts shapes in the places of their names.
func expand(shape string, named map[string]string) string {
	parts := strings.Split(shape, "$")
	for i, p := range parts[1:] {
		name := strings.IndexFunc(p+" ", func(r rune) bool {
			return r != '-' && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (r < '0' || r > '9')
		})
		parts[i+1] = named[p[:name]] + p[name:]
	}
	return strings.Join(parts, "")
}

// handle is the resource of the handle that a function takes first, empty if it takes none.
func (f Function) handle() string {
	_, rest, _ := strings.Cut(f.Shape, ": ")
	for _, kind := range []string{"borrow<", "own<"} {
		if name, ok := strings.CutPrefix(rest, kind); ok {
			name, _, _ = strings.Cut(name, ">")
			return name
		}
	}
	return ""
}
