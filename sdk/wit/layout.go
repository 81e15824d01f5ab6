package wit

// Flat is a type of core wasm.
type Flat uint8

// The flat types.
const (
	I32 Flat = iota
	I64
	Float32
	Float64
)

// Bounds of a function's flat parameters and results; more are passed in memory.
const (
	FlatParamsMax  = 16
	FlatResultsMax = 1
)

// DiscriminantSize is the bytes of the discriminant of that many cases.
func DiscriminantSize(cases int) uint32 {
	switch {
	case cases <= 1<<8:
		return 1
	case cases <= 1<<16:
		return 2
	}
	return 4
}

// Align is the alignment of a value in memory, bytes.
func (t *Type) Align() uint32 {
	t = t.Plain()
	if cases := t.discriminated(); cases != nil {
		align := DiscriminantSize(len(cases))
		for _, c := range cases {
			if c.Type != nil {
				align = max(align, c.Type.Align())
			}
		}
		return align
	}
	switch t.Kind {
	case Bool, S8, U8:
		return 1
	case S16, U16:
		return 2
	case S64, U64, F64:
		return 8
	case Flags:
		return flagsSize(len(t.Fields))
	case Record, Tuple:
		align := uint32(1)
		for _, f := range t.Fields {
			align = max(align, f.Type.Align())
		}
		return align
	}
	return 4
}

func flagsSize(n int) uint32 {
	switch {
	case n <= 8:
		return 1
	case n <= 16:
		return 2
	}
	return 4
}

// AlignTo is the next multiple of align.
func AlignTo(at, align uint32) uint32 { return (at + align - 1) / align * align }

// Size is the bytes of a value in memory.
func (t *Type) Size() uint32 {
	t = t.Plain()
	if cases := t.discriminated(); cases != nil {
		size := uint32(0)
		for _, c := range cases {
			if c.Type != nil {
				size = max(size, c.Type.Size())
			}
		}
		return AlignTo(t.PayloadAt()+size, t.Align())
	}
	switch t.Kind {
	case String, List:
		return 8
	case Flags:
		return flagsSize(len(t.Fields))
	case Record, Tuple:
		at := uint32(0)
		for _, f := range t.Fields {
			at = AlignTo(at, f.Type.Align()) + f.Type.Size()
		}
		return AlignTo(at, t.Align())
	}
	return t.Align()
}

// Offsets are where the fields of a record or tuple begin.
func (t *Type) Offsets() []uint32 {
	var out []uint32
	at := uint32(0)
	for _, f := range t.Plain().Fields {
		at = AlignTo(at, f.Type.Align())
		out = append(out, at)
		at += f.Type.Size()
	}
	return out
}

// PayloadAt is where the payload of a type with a discriminant begins.
func (t *Type) PayloadAt() uint32 {
	cases := t.Plain().discriminated()
	align := uint32(1)
	for _, c := range cases {
		if c.Type != nil {
			align = max(align, c.Type.Align())
		}
	}
	return AlignTo(DiscriminantSize(len(cases)), align)
}

// Flatten is the flat types of a value.
func (t *Type) Flatten() []Flat {
	t = t.Plain()
	if cases := t.discriminated(); cases != nil {
		return append([]Flat{I32}, joined(cases)...)
	}
	switch t.Kind {
	case S64, U64:
		return []Flat{I64}
	case F32:
		return []Flat{Float32}
	case F64:
		return []Flat{Float64}
	case String, List:
		return []Flat{I32, I32}
	case Record, Tuple:
		var out []Flat
		for _, f := range t.Fields {
			out = append(out, f.Type.Flatten()...)
		}
		return out
	}
	return []Flat{I32}
}

// joined are the flat types that hold the payload of any of the cases.
func joined(cases []Field) []Flat {
	var out []Flat
	for _, c := range cases {
		if c.Type == nil {
			continue
		}
		for i, f := range c.Type.Flatten() {
			switch {
			case i == len(out):
				out = append(out, f)
			case out[i] == f:
			case out[i] == I64 || f == I64 || out[i] == Float64 || f == Float64:
				out[i] = I64
			default: // i32 with f32
				out[i] = I32
			}
		}
	}
	return out
}

// FlatParams are the flat parameters of a function; spilled says that there is one, the address of
// a tuple of all.
func (f *Func) FlatParams() (flat []Flat, spilled bool) {
	for _, p := range f.Params {
		flat = append(flat, p.Type.Flatten()...)
	}
	if len(flat) > FlatParamsMax {
		return []Flat{I32}, true
	}
	return flat, false
}

// FlatResult are the flat results; spilled says that the value is in memory.
func (f *Func) FlatResult() (flat []Flat, spilled bool) {
	if f.Result == nil {
		return nil, false
	}
	flat = f.Result.Flatten()
	if len(flat) > FlatResultsMax {
		return []Flat{I32}, true
	}
	return flat, false
}

// ParamsTuple is the tuple in which spilled parameters are passed.
func (f *Func) ParamsTuple() *Type { return &Type{Kind: Tuple, Fields: f.Params} }
