package fuel

// What instructions cost beyond 1. The unit is about what one plain instruction takes natively.
const (
	// growCost is for leaving native code to grow a memory or a table.
	growCost = 64
	// segmentMin is the length from which a piece of code that a branch can skip is charged by
	// itself: a charge is about 4 native instructions. Shorter pieces make it exacter and slower.
	// Measured with guests of C and Go: against charging whole bodies, where a dispatch loop pays
	// for all its cases in each turn, 12 charges Go 1/25 and costs C about 10 % more time.
	segmentMin = 12
	// localsPerUnit: locals are set to zero on entry, several at a time.
	localsPerUnit = 8

	// A frame weighs 1 in depth, and more by its locals and its code, for the values that are alive
	// at once are kept on the native stack: a unit is at most some 10 KiB.
	localsPerDepth = 64
	bytesPerDepth  = 4096

	// forwardBytesMax is the most that a function has that only forwards: enough for 25 parameters.
	forwardBytesMax = 64
)

// segment is code without a way in or out but at its ends (and branches out). Its cost goes to the
// charge it opens, or to the charge in force around it, which is executed before it in any case.
type segment struct {
	edit     int // its own place for a charge
	parent   int // edit of the charge in force before it
	charge   int // edit its cost went to; -1 while it is open
	cost     int64
	forced   bool
	branches bool // it may be left from here on
}

type editKind byte

const (
	editCharge  editKind = iota // insert a charge of n units, nothing if 0
	editLoop                    // the same at the start of a loop
	editLoopIn                  // the same, and the loop has parameters
	editCertain                 // the same where a call that tests comes for certain
	editReturn                  // replace the opcode by a branch to label n
	editBulk                    // insert a charge for the operand on the stack, shifted by n
	editIndex                   // replace the index of a global or of a local by n
	editCall                    // replace a call by one of function n, with the counter
	editFlush                   // insert: the global is the counter
	editReload                  // insert: the counter is the global
)

// edit is a change at an offset of a function's body.
type edit struct {
	at   int
	kind editKind
	n    int64
}

// block is an open block, loop or if. seg is the segment it began in: what comes behind its end
// runs only after that segment. base is the height of the stack below its parameters.
type block struct {
	seg, base int
	typ       funcType
}

// function is the work on one function's body.
type function struct {
	w        *rewriter
	r        *reader
	index    uint32
	typ      funcType
	locals   uint32 // with parameters
	segments []segment
	edits    []edit
	blocks   []block
	current  int  // segment
	dead     bool // behind an unconditional branch, until the end of the block
	calls    bool
	exits    bool // it is left by a return, or by a branch to its own label
	bulk     bool
	callee   uint32   // of the instruction at hand
	loopIn   editKind // 1 if the block type at hand has parameters
	forwards bool
	extra    int64 // cost of the instruction at hand beyond 1
	done     bool
	alive    alive
	typed    funcType // of the block or call at hand
}

func (w *rewriter) readCode(r *reader) {
	n := r.count("functions", w.limits.FunctionsMax, 2)
	if r.err == nil && n != len(w.funcs)-int(w.imported) {
		r.malformed("as many bodies as functions are wanted")
		return
	}
	w.thread()
	out := appendU32(make([]byte, 0, len(r.b)+len(r.b)/4), uint32(n+len(w.exposed))+1)
	var behind []byte
	var f function
	for i := 0; i < n && r.err == nil; i++ {
		size := r.u32()
		if size > w.limits.BodyBytesMax {
			r.fail(tooMany("bytes in a function", uint64(size), uint64(w.limits.BodyBytesMax)))
			return
		}
		first := r.at
		body := r.bytes(size)
		if r.err != nil {
			return
		}
		f.reset(w, &reader{section: "code", b: r.b[:first+len(body)], at: first})
		f.index = w.imported + uint32(i)
		f.typ = w.types[w.funcs[f.index]]
		rewritten := f.rewrite()
		if f.r.err != nil {
			r.fail(f.r.err)
			return
		}
		if w.out.Alive += f.alive.sum; w.out.Alive > uint64(w.limits.AliveSumMax) {
			r.fail(tooAlive("the module", w.out.Alive, w.limits.AliveSumMax))
			return
		}
		if w.options.Counters == Without {
			rewritten = body
		}
		if w.options.Counters != Without && w.exposes[f.index] {
			behind = appendBody(behind, rewritten)
			rewritten = w.entrance(f.index)
		}
		out = appendBody(out, rewritten)
		w.out.Forwards = w.out.Forwards && f.forwards && size <= forwardBytesMax
	}
	if w.options.Counters != Without {
		w.sections[secCode] = w.appendSettle(append(out, behind...))
	}
}

//go:noinline
func appendBody(out, body []byte) []byte {
	return append(appendU32(out, uint32(len(body))), body...)
}

// reset keeps the slices' room.
func (f *function) reset(w *rewriter, r *reader) {
	*f = function{w: w, r: r, segments: f.segments[:0], edits: f.edits[:0], blocks: f.blocks[:0]}
}

// rewrite reads the body and returns the new one, nil after an error.
func (f *function) rewrite() []byte {
	start := f.r.at
	groups, groupsAt := f.readLocals()
	f.forwards = groups == 0
	codeAt := f.r.at
	f.open(-1, true)
	f.segments[0].cost = int64(f.locals) / localsPerUnit
	for f.r.more() && !f.done {
		f.instruction()
	}
	if !f.done {
		f.r.malformed("function without end")
	}
	if f.r.end() != nil {
		return nil
	}
	out := make([]byte, 0, (len(f.r.b)-start)*5/4+32)
	if f.bulk {
		out = appendU32(out, groups+1)
		out = append(out, f.r.b[groupsAt:codeAt]...)
		out = append(out, 1, typeI32)
	} else {
		out = append(out, f.r.b[start:codeAt]...)
	}
	return f.write(out, codeAt)
}

// readLocals returns the number of groups and where the first of them is.
func (f *function) readLocals() (groups uint32, at int) {
	most := f.w.limits.LocalsMax
	groups = uint32(f.r.count("locals", most, 2))
	at = f.r.at
	total := uint64(len(f.typ.params))
	for i := uint32(0); i < groups && f.r.err == nil; i++ {
		total += uint64(f.r.u32())
		f.r.valueType()
	}
	if total > uint64(most) {
		f.r.fail(tooMany("locals", total, uint64(most)))
	}
	f.locals = uint32(total)
	return groups, at
}

// open begins a segment here.
func (f *function) open(parent int, forced bool) {
	f.current = len(f.segments)
	f.segments = append(f.segments, segment{
		edit: len(f.edits), parent: parent, charge: -1, forced: forced,
	})
	f.edits = append(f.edits, edit{at: f.r.at, kind: editCharge})
}

// close ends the current segment and decides who is charged for it.
func (f *function) close() {
	s := &f.segments[f.current]
	s.charge = s.parent
	if s.forced || s.cost >= segmentMin {
		s.charge = s.edit
	}
	f.edits[s.charge].n += s.cost
}

func (f *function) instruction() {
	at := f.r.at
	op := f.r.byte()
	f.extra = 0
	f.immediates(op, at)
	f.operands(op)
	if f.r.err != nil {
		return
	}
	if !f.dead {
		f.segments[f.current].cost += 1 + f.extra
	}
	switch op {
	case opLocalGet, opI32Const, opCallIndirect, opEnd:
	default:
		f.forwards = false
	}
	f.structure(op, at)
}

// structure follows blocks and branches.
func (f *function) structure(op byte, at int) {
	switch op {
	case opBlock:
		f.enter()
	case opLoop, opIf:
		f.close()
		f.enter()
		f.open(f.segments[f.current].charge, op == opLoop && !f.dead)
		if op == opLoop {
			f.edits[len(f.edits)-1].kind = editLoop + f.loopIn
		}
	case opElse:
		if len(f.blocks) == 0 {
			f.r.malformed("else without if")
			return
		}
		f.close()
		f.reopen(f.blocks[len(f.blocks)-1])
	case opEnd:
		f.close()
		if len(f.blocks) == 0 {
			f.done = true
			return
		}
		b := f.blocks[len(f.blocks)-1]
		f.blocks = f.blocks[:len(f.blocks)-1]
		f.reopen(b)
	case opReturn:
		f.exits = true
		f.edits = append(f.edits, edit{at: at, kind: editReturn, n: int64(len(f.blocks))})
		f.dead = true
	case opBr, opBrTable, opUnreachable:
		f.dead = true
	case opBrIf:
		f.segments[f.current].branches = true
	case opCall, opCallIndirect:
		f.call(op, at)
	}
}

func (f *function) enter() {
	if uint64(len(f.blocks)) >= uint64(f.w.limits.NestingMax) {
		f.r.fail(tooMany("nested blocks", uint64(len(f.blocks))+1, uint64(f.w.limits.NestingMax)))
		return
	}
	f.blocks = append(f.blocks, block{
		seg: f.current, typ: f.typed, base: max(f.alive.height-len(f.typed.params), 0),
	})
}

// reopen begins the segment behind an end or an else. Code behind a block that was dead from its
// start is taken as alive: that only costs a charge that is never executed.
func (f *function) reopen(b block) {
	f.dead = false
	f.open(f.segments[b.seg].charge, false)
}

// immediates skips what follows the opcode.
func (f *function) immediates(op byte, at int) {
	r := f.r
	switch immediateOf(op) {
	case immNone:
	case immBlock:
		f.blockType()
	case immLabel:
		f.label()
	case immLabels:
		n := r.count("labels", f.w.limits.BodyBytesMax, 1)
		f.flow(n)
		for i := 0; i <= n && r.err == nil; i++ {
			f.label()
		}
	case immFunction:
		f.callee = f.w.readFunctionIndex(r)
		if r.err == nil {
			f.typed = f.w.types[f.w.funcs[f.callee]]
		}
	case immIndex:
		r.u32()
	case immCallIndirect:
		f.typeIndex(int64(r.u32()))
		r.u32()
	case immLocal:
		f.local()
	case immGlobal:
		f.global()
	case immMemArg:
		r.memArg()
		f.w.needMemory(r)
	case immMemory:
		r.memoryZero()
		f.w.needMemory(r)
		if op == opMemoryGrow {
			f.charge(at, pageShift)
		}
	case immI32:
		r.signed(32)
	case immI64:
		r.signed(64)
	case imm4:
		r.bytes(4)
	case imm8:
		r.bytes(8)
	case immTypes:
		for n := r.count("types", 1, 1); n > 0; n-- {
			r.valueType()
		}
	case immRefType:
		r.referenceType()
	case immMisc:
		f.misc(at)
	case immSIMD:
		f.simd()
	default:
		f.refuse(op)
	}
}

func (f *function) refuse(op byte) {
	if f.r.err != nil {
		return
	}
	if err := refusedOpcode(op); err != nil {
		f.r.fail(err)
		return
	}
	f.r.malformed("unknown instruction")
}

func (f *function) blockType() {
	t := f.r.signed(33)
	f.loopIn, f.typed = 0, funcType{}
	if t >= 0 {
		f.typeIndex(t)
		if f.r.err == nil && len(f.w.types[t].params) > 0 {
			f.loopIn = 1
		}
		return
	}
	if t != -64 {
		f.typed.results = oneResult
	}
	if b := byte(t & 0x7f); f.r.err == nil && (t < -64 || b != typeEmpty && !isValueType(b)) {
		if err := refusedType(b); err != nil {
			f.r.fail(err)
		} else {
			f.r.malformed("not a block type")
		}
	}
}

// global notes that the index of a global changes.
func (f *function) global() {
	at := f.r.at
	i := f.w.readGlobalIndex(f.r)
	if moved := f.w.movedGlobal(i); moved != i {
		f.edits = append(f.edits, edit{at: at, kind: editIndex, n: int64(moved)})
	}
}

// local notes that the index of a local behind the parameters changes: the counter comes between.
func (f *function) local() {
	at := f.r.at
	i := f.r.u32()
	switch {
	case f.r.err != nil:
	case i >= f.locals:
		f.r.malformed("unknown local")
	case i >= f.counter():
		f.edits = append(f.edits, edit{at: at, kind: editIndex, n: int64(i) + 1})
	}
}

// call follows the call at hand. Another function of the module takes the counter along, all else
// finds it in the global.
func (f *function) call(op byte, at int) {
	f.calls = true
	if op == opCallIndirect || f.callee < f.w.imported {
		f.edits = append(f.edits, edit{at: at, kind: editFlush}, edit{at: f.r.at, kind: editReload})
		return
	}
	f.edits = append(f.edits, edit{at: at, kind: editCall, n: int64(f.w.inner(f.callee))})
	s := &f.segments[f.current]
	if e := &f.edits[s.edit]; e.kind == editLoop && !s.branches && !f.dead {
		e.kind = editCertain
	}
}

// typeIndex keeps the module away from types that the rewrite adds.
func (f *function) typeIndex(i int64) {
	if f.r.err == nil && i >= int64(len(f.w.types)) {
		f.r.malformed("unknown type")
	}
	if f.r.err == nil {
		f.typed = f.w.types[i]
	}
}

// label keeps branches away from the wrapper's outside: the function's own label is the last.
func (f *function) label() {
	l := f.r.u32()
	if f.r.err == nil && int64(l) > int64(len(f.blocks)) {
		f.r.malformed("unknown label")
	}
	f.exits = f.exits || int64(l) == int64(len(f.blocks))
}

// Shifts from an operand to units: negative to the left.
const (
	byteShift    = 3  // 8 bytes are moved at a time
	elementShift = 0  // references are written one by one
	pageShift    = -7 // a page of memory must be made, once for each page a memory has
)

// charge notes that the operand on top of the stack must be paid for.
func (f *function) charge(at int, shift int64) {
	f.bulk = true
	f.extra = growCost
	f.edits = append(f.edits, edit{at: at, kind: editBulk, n: shift})
}
