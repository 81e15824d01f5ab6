package config

import (
	"strings"
	"unsafe"

	"github.com/hpmq/hpmq/sdk/guest/go/internal/abi"
)

//go:wasmimport hpmq:broker/config@0.1.0 json
func hostJSON(ret unsafe.Pointer)

// JSON is the configuration that the link gives this component, "{}" when there is none. The text
// is the caller's.
func JSON() string {
	ret := abi.Words(2)
	abi.Out()
	hostJSON(unsafe.Pointer(&ret[0]))
	abi.Back()
	return strings.Clone(abi.TextAt(ret[0], ret[1]))
}
