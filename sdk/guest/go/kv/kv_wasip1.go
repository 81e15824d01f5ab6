package kv

import (
	"runtime"
	"unsafe"

	"github.com/hpmq/hpmq/sdk/guest/go/internal/abi"
)

//go:wasmimport hpmq:broker/kv@0.1.0 get
func hostGet(key unsafe.Pointer, keySize uint32, ret unsafe.Pointer)

//go:wasmimport hpmq:broker/kv@0.1.0 set
func hostSet(key unsafe.Pointer, keySize uint32, value unsafe.Pointer, valueSize uint32,
	ttlMS uint64, ret unsafe.Pointer)

//go:wasmimport hpmq:broker/kv@0.1.0 set-if-absent
func hostSetIfAbsent(key unsafe.Pointer, keySize uint32, value unsafe.Pointer, valueSize uint32,
	ttlMS uint64, ret unsafe.Pointer)

//go:wasmimport hpmq:broker/kv@0.1.0 delete
func hostDelete(key unsafe.Pointer, keySize uint32)

//go:wasmimport hpmq:broker/kv@0.1.0 increment
func hostIncrement(key unsafe.Pointer, keySize uint32, by int64, ret unsafe.Pointer)

// Get is the value under key. It is borrowed: it holds until the exported call that runs returns.
func (Store) Get(key string) ([]byte, bool) {
	ret := abi.Words(3)
	abi.Out()
	hostGet(text(key), uint32(len(key)), unsafe.Pointer(&ret[0]))
	abi.Back()
	runtime.KeepAlive(key)
	if ret[0]&0xFF == 0 {
		return nil, false
	}
	return abi.BytesAt(ret[1], ret[2]), true
}

// Set puts value under key for ttlMS milliseconds, 0 for ever.
func (Store) Set(key string, value []byte, ttlMS uint64) error {
	ret := abi.Words(1)
	hostSet(text(key), uint32(len(key)), data(value), uint32(len(value)), ttlMS,
		unsafe.Pointer(&ret[0]))
	runtime.KeepAlive(key)
	runtime.KeepAlive(value)
	return outcome(ret[0]&0xFF, ret[0]>>8&0xFF)
}

// SetIfAbsent is Set where key is free, and true; elsewhere it does nothing.
func (Store) SetIfAbsent(key string, value []byte, ttlMS uint64) (bool, error) {
	ret := abi.Words(1)
	hostSetIfAbsent(text(key), uint32(len(key)), data(value), uint32(len(value)), ttlMS,
		unsafe.Pointer(&ret[0]))
	runtime.KeepAlive(key)
	runtime.KeepAlive(value)
	if err := outcome(ret[0]&0xFF, ret[0]>>8&0xFF); err != nil {
		return false, err
	}
	return ret[0]>>8&0xFF != 0, nil
}

// Delete frees key.
func (Store) Delete(key string) {
	hostDelete(text(key), uint32(len(key)))
	runtime.KeepAlive(key)
}

// Increment adds to a counter (absent counts as 0) and answers its new value.
func (Store) Increment(key string, by int64) (int64, error) {
	ret := abi.Longs(2)
	hostIncrement(text(key), uint32(len(key)), by, unsafe.Pointer(&ret[0]))
	runtime.KeepAlive(key)
	if err := outcome(uint32(ret[0])&0xFF, uint32(ret[1])&0xFF); err != nil {
		return 0, err
	}
	return int64(ret[1]), nil
}

func outcome(tag, reason uint32) error {
	switch {
	case tag == 0:
		return nil
	case reason == 0:
		return ErrTooLarge
	default:
		return ErrNotACounter
	}
}

func text(s string) unsafe.Pointer { return unsafe.Pointer(unsafe.StringData(s)) }

func data(b []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(b)) }
