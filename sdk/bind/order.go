package bind

import "github.com/hpmq/hpmq/sdk/wit"

// ordered are all types that the functions of a world need, those that others hold before these.
// Aliases are left out, scalars too.
func ordered(w *wit.World) []*wit.Type {
	o := order{seen: map[*wit.Type]bool{}}
	for _, i := range w.Interfaces() {
		for _, t := range i.Types {
			o.add(t)
		}
		for _, f := range i.Funcs {
			for _, p := range f.Params {
				o.add(p.Type)
			}
			o.add(f.Result)
		}
	}
	return o.out
}

type order struct {
	seen map[*wit.Type]bool
	out  []*wit.Type
}

func (o *order) add(t *wit.Type) {
	if t == nil {
		return
	}
	t = t.Plain()
	if o.seen[t] || t.Kind <= wit.String {
		return
	}
	o.seen[t] = true
	o.add(t.Elem)
	for _, list := range [][]wit.Field{t.Fields, t.Cases} {
		for _, f := range list {
			o.add(f.Type)
		}
	}
	o.out = append(o.out, t)
}

// scalar says whether values of a type are passed by themselves, not by their address.
func scalar(t *wit.Type) bool {
	switch t = t.Plain(); t.Kind {
	case wit.Enum, wit.Flags:
		return true
	default:
		return t.Kind < wit.String
	}
}
