package wasm

import (
	"fmt"
)

// The part of WASI preview 1 that a reactor's runtime needs to boot and to complain. There are no
// files, sockets, arguments or variables: what would name one answers "bad descriptor". Who has
// variables, or a clock that can be waited for, replaces functions by Engine.Provide.
const wasiName = "wasi_snapshot_preview1"

// Error numbers of WASI preview 1.
const (
	wasiOK    = 0
	wasiBadF  = 8
	wasiInval = 28
	wasiSPipe = 70
)

func wasiModule() HostModule {
	m := HostModule{Name: wasiName, Funcs: []HostFunc{
		wasi("args_sizes_get", "ii", zeroTwo),
		wasi("args_get", "ii", succeed),
		wasi("environ_sizes_get", "ii", zeroTwo),
		wasi("environ_get", "ii", succeed),
		wasi("clock_res_get", "ii", clockRes),
		wasi("clock_time_get", "iIi", clockTime),
		wasi("random_get", "ii", randomGet),
		wasi("sched_yield", "", succeed),
		wasi("poll_oneoff", "iiii", pollOneoff),
		wasi("fd_write", "iiii", fdWrite),
		wasi("fd_fdstat_get", "ii", fdStat),
		wasi("fd_seek", "iIii", fdSeek),
		{Name: "proc_exit", Params: wasiTypes("i"), Call: procExit},
	}}
	// Runtimes link these for files they never get to open.
	for _, f := range []struct{ name, params string }{
		{"fd_close", "i"}, {"fd_datasync", "i"}, {"fd_sync", "i"}, {"fd_fdstat_set_flags", "ii"},
		{"fd_filestat_get", "ii"}, {"fd_filestat_set_size", "iI"}, {"fd_pread", "iiiIi"},
		{"fd_prestat_get", "ii"}, {"fd_prestat_dir_name", "iii"}, {"fd_pwrite", "iiiIi"},
		{"fd_read", "iiii"}, {"fd_readdir", "iiiIi"}, {"fd_renumber", "ii"}, {"fd_tell", "ii"},
		{"path_create_directory", "iii"}, {"path_filestat_get", "iiiii"},
		{"path_filestat_set_times", "iiiiIIi"}, {"path_link", "iiiiiii"},
		{"path_open", "iiiiiIIii"}, {"path_readlink", "iiiiii"},
		{"path_remove_directory", "iii"}, {"path_rename", "iiiiii"}, {"path_symlink", "iiiii"},
		{"path_unlink_file", "iii"},
	} {
		m.Funcs = append(m.Funcs, wasi(f.name, f.params, badDescriptor))
	}
	return m
}

// wasi makes a host function that answers an error number. params: i for I32, I for I64.
func wasi(name, params string, call func(g *Guest, in []uint64) uint32) HostFunc {
	return HostFunc{
		Name: name, Params: wasiTypes(params), Results: []ValueType{I32},
		Call: func(g *Guest, stack []uint64) { stack[0] = uint64(call(g, stack)) },
	}
}

func wasiTypes(params string) []ValueType {
	types := make([]ValueType, len(params))
	for i, c := range params {
		types[i] = I32
		if c == 'I' {
			types[i] = I64
		}
	}
	return types
}

func succeed(*Guest, []uint64) uint32       { return wasiOK }
func badDescriptor(*Guest, []uint64) uint32 { return wasiBadF }

// must ends the call when the guest gave an address outside its memory.
func (g *Guest) must(ok bool, function string) {
	if !ok {
		g.Trap(function + ": address outside the memory")
	}
}

func zeroTwo(g *Guest, in []uint64) uint32 {
	mem := g.here.memory
	g.must(mem.PutUint32(uint32(in[0]), 0) && mem.PutUint32(uint32(in[1]), 0), "sizes_get")
	return wasiOK
}

const (
	clockRealtime  = 0
	clockMonotonic = 1
)

func clockRes(g *Guest, in []uint64) uint32 {
	if id := uint32(in[0]); id != clockRealtime && id != clockMonotonic {
		return wasiInval
	}
	g.must(g.here.memory.PutUint64(uint32(in[1]), 1000), "clock_res_get")
	return wasiOK
}

// clockTime gives nanoseconds since 1970, or since the engine's epoch for the monotonic clock.
func clockTime(g *Guest, in []uint64) uint32 {
	e := g.module.engine
	var t int64
	switch uint32(in[0]) {
	case clockRealtime:
		t = e.now().UnixNano()
	case clockMonotonic:
		t = int64(g.Monotonic())
	default:
		return wasiInval
	}
	g.must(g.here.memory.PutUint64(uint32(in[2]), uint64(t)), "clock_time_get")
	return wasiOK
}

func randomGet(g *Guest, in []uint64) uint32 {
	b, ok := g.here.memory.Read(uint32(in[0]), uint32(in[1]))
	g.must(ok, "random_get")
	g.Charge(uint64(len(b))) // a byte costs about a nanosecond
	g.Random(b)
	return wasiOK
}

// fdStat says that 0, 1 and 2 are character devices with no rights to anything.
func fdStat(g *Guest, in []uint64) uint32 {
	if uint32(in[0]) > 2 {
		return wasiBadF
	}
	b, ok := g.here.memory.Read(uint32(in[1]), 24)
	g.must(ok, "fd_fdstat_get")
	clear(b)
	b[0] = 2
	return wasiOK
}

func fdSeek(_ *Guest, in []uint64) uint32 {
	if uint32(in[0]) > 2 {
		return wasiBadF
	}
	return wasiSPipe
}

// pollOneoff answers at once: the engine cannot sleep. A guest that waits for a clock sees its time
// come only by looking again, on its own fuel.
func pollOneoff(g *Guest, in []uint64) uint32 {
	const subscription, event, kindAt, kinds = 48, 32, 8, 2
	subs, events, n := uint32(in[0]), uint32(in[1]), uint32(in[2])
	g.Charge(uint64(n) * hostCallFuel)
	if n == 0 {
		return wasiInval
	}
	for i := range n {
		from, ok := g.here.memory.Read(subs+i*subscription, subscription)
		g.must(ok, "poll_oneoff")
		var e [event]byte
		copy(e[:8], from[:8])
		if kind := from[kindAt]; kind != 0 {
			e[8] = wasiBadF
			e[10] = min(kind, kinds)
		}
		g.must(g.here.memory.Write(events+i*event, e[:]), "poll_oneoff")
	}
	g.must(g.here.memory.PutUint32(uint32(in[3]), n), "poll_oneoff")
	return wasiOK
}

// procExit is a trap: there is no process that a guest could end.
func procExit(g *Guest, stack []uint64) {
	g.Trap(fmt.Sprintf("proc_exit(%d)", int32(stack[0])))
}
