package link

import (
	"fmt"
	"strings"

	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/lite/broker"
)

// contractPackage is the package of wit/, of every version.
const contractPackage = "hpmq:broker"

// contract is one version of wit/: what guests of it export and may import, and how they are asked.
// It never changes.
type contract struct {
	version   string // "0.1.0"
	lifecycle face
	roles     [roleCount]face
	// lent are what guests may export beside: those that see large payloads by handle.
	lent [roleCount]face
	// state and migration are what guests of any role may export beside.
	state, migration face
	// capabilities are all that can be granted, as they are written in a link.
	capabilities []string
	// given are what a guest may import without a grant.
	given []string
}

// face is an interface that guests export, in one version.
type face struct {
	name    string // "hpmq:broker/authorizer@0.1.0"
	version string
	exports []export // in the order of instance.fns
	ask     ways
}

// ways are how the functions of one face are asked; those of other roles are nil, and codecs are
// asked by Codec alone: a program without codecs is not to link how. The host has each
// question, and wants each answer, in one shape: that of the newest version. A way begins a call,
// lowers the question to the shape of its version, calls, and lifts the answer from that shape. It
// keeps nothing of its arguments.
type ways struct {
	configure    func(in *instance, interestMax int) error
	authenticate func(in *instance, who *broker.Credentials) (authVerdict, error)
	// authorize takes the question by value: behind a pointer it would have to be allocated, for
	// who is asked is known at run time.
	authorize func(in *instance, q question) (uint32, error)
	transform func(p *policy, in *instance, a asking, m *broker.Message) error
	check     func(in *instance, who *broker.Identity, m *broker.Message) (uint32, error)
	route     func(
		p *policy, in *instance, a asking, m *broker.Message, out *[]broker.Message,
	) (routing, error)
	share func(in *instance, group, filter string) (broker.Strategy, error)
	tell  func(in *instance, t *task) (uint32, error)
}

// newFace names exports, which come by the names of their functions, in full.
//
//go:noinline
func newFace(name, version string, ask ways, exports []export) face {
	f := face{name: interfaceOf(name, version), version: version, ask: ask}
	for _, x := range exports {
		x.name = f.name + "#" + x.name
		f.exports = append(f.exports, x)
	}
	return f
}

// interfaceOf is the full name of an interface of wit/.
func interfaceOf(short, version string) string {
	return contractPackage + "/" + short + "@" + version
}

// export is a function that a guest must have. Its flat parameters and its result, if its type has
// one, are all i32.
type export struct {
	name   string
	params int
	typ    string
}

// results is how many flat results there are.
func (x export) results() int {
	if strings.Contains(x.typ, ") -> ") {
		return 1
	}
	return 0
}

// as says what is wrong with the export of mod, "" if nothing is. A component's is compared by its
// type, a core module's flat.
func (x export) as(mod *wasm.Module) string {
	params, results, ok := mod.Signature(x.name)
	if !ok {
		return "no " + x.name
	}
	if mod.Form() == wasm.ComponentForm {
		if t := mod.Type(x.name); t != x.typ {
			return x.name + " as " + t + ", not " + x.typ
		}
		return ""
	}
	good := len(params) == x.params && len(results) == x.results()
	for _, t := range append(params[:len(params):len(params)], results...) {
		good = good && t == wasm.I32
	}
	if !good {
		return fmt.Sprintf("%s as %v -> %v, not %d of i32 -> %d",
			x.name, params, results, x.params, x.results())
	}
	return ""
}
