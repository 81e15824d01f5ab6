package wasm

import (
	"strconv"
	"strings"
)

// Track is the name of an interface with as much of its version as decides whether one serves for
// the other: the major version, or below 1.0 the minor one, or below 0.1 all of it. Interfaces of
// one track differ by what later ones have more. "wasi:io/streams@0.2.6" has the track
// "wasi:io/streams@0.2", and "wasi:io/streams@0.2.6#poll" the track "wasi:io/streams@0.2#poll".
// Names without a version, or with one that is a pre-release, are their own track.
func Track(name string) string {
	name, item, hasItem := strings.Cut(name, "#")
	if i := strings.LastIndexByte(name, '@'); i >= 0 {
		name = name[:i+1] + trackOf(name[i+1:])
	}
	if hasItem {
		name += "#" + item
	}
	return name
}

func trackOf(version string) string {
	plain, _, _ := strings.Cut(version, "+")
	parts := strings.Split(plain, ".")
	if len(parts) != 3 {
		return version
	}
	for _, p := range parts {
		if _, err := strconv.ParseUint(p, 10, 64); err != nil {
			return version
		}
	}
	switch {
	case parts[0] != "0":
		return parts[0]
	case parts[1] != "0":
		return "0." + parts[1]
	}
	return plain
}
