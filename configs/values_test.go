package configs

import (
	"testing"
	"time"
)

func TestSize(t *testing.T) {
	for text, want := range map[string]Size{
		"0": 0, "512": 512, "64KiB": 64 << 10, "1 MiB": 1 << 20, "2MB": 2_000_000, "7B": 7,
	} {
		var s Size
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%s: %d, %v; want %d", text, s, err, want)
		}
		var again Size
		if err := again.UnmarshalText([]byte(s.String())); err != nil || again != s {
			t.Errorf("%s prints as %s", text, s)
		}
	}
	for _, text := range []string{"", "-1", "1.5MiB", "1TiB", "MiB", "99999999999GiB", "1 M"} {
		var s Size
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q passes as %d", text, s)
		}
	}
}

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0s": 0, "500ms": 500 * time.Millisecond, "7d": 168 * time.Hour, "1h30m": 90 * time.Minute,
		"never": time.Duration(Never),
	} {
		var d Duration
		if err := d.UnmarshalText([]byte(text)); err != nil || d.Std() != want {
			t.Errorf("%s: %v, %v; want %v", text, d, err, want)
		}
		var again Duration
		if err := again.UnmarshalText([]byte(d.String())); err != nil || again != d {
			t.Errorf("%s prints as %s", text, d)
		}
	}
	for _, text := range []string{"", "30", "-1s", "1w", "99999999d", "d"} {
		var d Duration
		if err := d.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q passes as %v", text, d)
		}
	}
}

func TestLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"127.0.0.1": true, "127.9.9.9": true, "::1": true, "localhost": true,
		"::ffff:127.0.0.1": true, "": false, "0.0.0.0": false, "10.0.0.1": false,
		"localhost.evil.org": false,
	} {
		if got := (Bind{Host: host}).Loopback(); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}

func TestNearest(t *testing.T) {
	words := []string{"data_dir", "listeners", "limits", "log"}
	for word, want := range map[string]string{
		"listener": "listeners", "datadir": "data_dir", "limit": "limits", "zzzzzz": "",
	} {
		if got := nearest(word, words); got != want {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
}
