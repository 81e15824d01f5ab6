package zstd

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

func pack(t testing.TB, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// What is compressed is smaller, and comes back; what is cut off is noticed.
func TestThereAndBack(t *testing.T) {
	text := strings.Repeat("a line of text\n", 10_000)
	b := pack(t, text)
	if len(b) > len(text)/10 {
		t.Errorf("%d bytes of %d", len(b), len(text))
	}
	for _, cut := range []int{0, 1} {
		r, err := NewReader(bytes.NewReader(b[:len(b)-cut]))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if cut == 0 && string(got) != text || (err == nil) != (cut == 0) {
			t.Errorf("cut %d: %d bytes, %v", cut, len(got), err)
		}
		_ = r.Close()
	}
}

func FuzzReader(f *testing.F) {
	f.Add(pack(f, "text"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := NewReader(bytes.NewReader(b))
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(r, 1<<20))
		_ = r.Close()
	})
}
