package payload

import "testing"

// TestSum compares with what the reference makes of the bytes 0, 1, 2, …
func TestSum(t *testing.T) {
	b := make([]byte, 255)
	for i := range b {
		b[i] = byte(i)
	}
	for n, want := range map[int]uint64{
		0: 0xef46db3751d8e999, 1: 0xe934a84adb052768, 4: 0xffced8604453cc1e,
		8: 0x884a173614b81b8d, 31: 0xc346d2b59b4d8ee1, 32: 0xcbf59c5116ff32b4,
		33: 0xc535d1acafb8ead, 63: 0xe26aa9e2a95f8e4f, 100: 0x6ac1e58032166597,
		255: 0xf7d97507caad693,
	} {
		if got := Sum(b[:n]); got != want {
			t.Errorf("of %d bytes: %#x, not %#x", n, got, want)
		}
	}
	if Sum([]byte("abc")) != 0x44bc2cf5ad770999 {
		t.Error("abc")
	}
}

func BenchmarkSum(b *testing.B) {
	p := make([]byte, 64<<10)
	b.ReportAllocs()
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		Sum(p)
	}
}
