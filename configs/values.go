package configs

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Size is a number of bytes, written as "1MiB", "64 KiB", "1500" or "2MB".
type Size uint64

// Powers of 1024, as a Size is printed.
const (
	KiB Size = 1 << 10
	MiB Size = 1 << 20
	GiB Size = 1 << 30
)

var sizeUnits = [...]struct {
	name  string
	bytes Size
}{
	// The longest name first: "KiB" ends in "B" too.
	{"KiB", KiB}, {"MiB", MiB}, {"GiB", GiB},
	{"KB", 1000}, {"MB", 1000 * 1000}, {"GB", 1000 * 1000 * 1000},
	{"B", 1},
}

// UnmarshalText reads a size.
func (s *Size) UnmarshalText(text []byte) error {
	number, unit := strings.TrimSpace(string(text)), Size(1)
	for _, u := range sizeUnits {
		if rest, ok := strings.CutSuffix(number, u.name); ok {
			number, unit = strings.TrimSpace(rest), u.bytes
			break
		}
	}
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return fmt.Errorf("%q is not a size; write bytes or use a unit: 512, 64KiB, 1MiB", text)
	}
	if n > math.MaxInt64/uint64(unit) {
		return fmt.Errorf("%q is too large a size", text)
	}
	*s = Size(n) * unit
	return nil
}

// String prints the size in the largest unit that leaves no rest.
func (s Size) String() string {
	for _, u := range []int{2, 1, 0} {
		if unit := sizeUnits[u]; s != 0 && s%unit.bytes == 0 {
			return strconv.FormatUint(uint64(s/unit.bytes), 10) + unit.name
		}
	}
	return strconv.FormatUint(uint64(s), 10)
}

// MarshalText prints the size as String does.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Duration is a span of time, written as "30s", "1h30m" or "7d".
type Duration time.Duration

const day = 24 * time.Hour

// Never is the Duration without an end, written "never".
const Never Duration = math.MaxInt64

// UnmarshalText reads a duration; negative ones are refused.
func (d *Duration) UnmarshalText(text []byte) error {
	bad := fmt.Errorf("%q is not a duration; use units: 500ms, 30s, 1h30m, 7d", text)
	s := strings.TrimSpace(string(text))
	if s == "never" {
		*d = Never
		return nil
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 32)
		if err != nil || n > uint64(math.MaxInt64/day) {
			return bad
		}
		*d = Duration(time.Duration(n) * day)
		return nil
	}
	v, err := time.ParseDuration(s)
	if err != nil || v < 0 {
		return bad
	}
	*d = Duration(v)
	return nil
}

// String prints whole days as "7d", all else as time.Duration does.
func (d Duration) String() string {
	if d == Never {
		return "never"
	}
	if v := time.Duration(d); v >= day && v%day == 0 {
		return strconv.FormatInt(int64(v/day), 10) + "d"
	}
	return time.Duration(d).String()
}

// MarshalText prints the duration as String does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// Std is the duration as the standard library knows it.
func (d Duration) Std() time.Duration { return time.Duration(d) }
