package configs

import (
	"strings"
	"testing"
)

func TestCodecOfAListener(t *testing.T) {
	for name, c := range map[string]struct {
		bind, codec, wrong string
	}{
		"one":       {"tcp://127.0.0.1:1884", "[{use: codec-lines}]", ""},
		"none":      {"tcp://127.0.0.1:1884", "[]", ""},
		"two":       {"tcp://127.0.0.1:1884", "[{use: codec-lines}, {use: a.wasm}]", "at most 1"},
		"another":   {"tcp://127.0.0.1:1884", "[{use: router-rules}]", "cannot serve as codec"},
		"misspelt":  {"tcp://127.0.0.1:1884", "[{use: codec-line}]", `did you mean "codec-lines"`},
		"WebSocket": {"ws://127.0.0.1:1884", "[{use: codec-lines}]", "tcp://127.0.0.1:1884"},
	} {
		text := `{"name": "l", "bind": "` + c.bind + `", "link": {"codec": ` + c.codec + `}}`
		_, err := ParseListener([]byte(text), DefaultListener("l", "", Default().Limits))
		if err == nil && c.wrong == "" {
			continue
		}
		if err == nil || c.wrong == "" || !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%s: %v, want %q", name, err, c.wrong)
		}
	}
}
