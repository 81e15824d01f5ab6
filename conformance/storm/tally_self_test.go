package storm

import (
	"fmt"
	"testing"
)

// said is a message as a receiver gets it: its number, and the swap that answered.
func said(seq, swap int) string {
	return fmt.Sprintf(`{"p":0,"n":%d,"t":%d,"w":1,"celsius":21.5,"v":"%s","s":%d}`, seq, 1000+seq,
		versionOf(swap), swap)
}

// judge is what a receiver makes of payloads, when sent were sent.
func judge(sent int, payloads ...string) faults {
	b := &book{}
	t := newTally(b, 9)
	t.tracks[0] = &track{}
	for _, p := range payloads {
		take(b, t, []byte(p))
	}
	t.close(0, uint64(sent))
	f, _ := b.faults()
	return f
}

// The account must notice what it is there to notice, and nothing else.
func TestTheTallyFindsFaults(t *testing.T) {
	good := []string{said(0, 0), said(1, 1), said(2, 1), said(3, 2), said(4, 9)}
	if f := judge(5, good...); f != (faults{}) {
		t.Errorf("all is well, but: %+v", f)
	}
	raw := `{"p":0,"n":0,"t":1,"w":1,"c":215}`
	wrong := `{"p":0,"n":0,"t":1,"w":1,"celsius":21.5,"v":"2.0.0","s":1}`
	stranger := `{"p":7,"n":0,"t":1,"w":1,"celsius":21.5,"v":"1.0.0","s":1}`
	for name, c := range map[string]struct {
		sent int
		came []string
		want faults
	}{
		"a message was dropped": {3, []string{said(0, 1), said(2, 1)}, faults{lost: 1}},
		"the last was dropped":  {2, []string{said(0, 1)}, faults{lost: 1}},
		"nothing came":          {4, nil, faults{lost: 4}},
		"one came twice": {2, []string{said(0, 1), said(1, 1), said(1, 1)},
			faults{doubled: 1}},
		"two changed places": {3, []string{said(0, 1), said(2, 1), said(1, 1)},
			faults{reordered: 1}},
		"2.0.0, then 1.0.0":           {2, []string{said(0, 2), said(1, 1)}, faults{wentBack: 1}},
		"a swap of the same version":  {2, []string{said(0, 3), said(1, 1)}, faults{wentBack: 1}},
		"no transformer was asked":    {0, []string{raw}, faults{garbled: 1}},
		"a version under a wrong one": {0, []string{wrong}, faults{garbled: 1}},
		"of somebody else":            {0, []string{stranger}, faults{garbled: 1}},
		"a swap that never was":       {0, []string{said(0, 10)}, faults{garbled: 1}},
		"no JSON":                     {0, []string{"x"}, faults{garbled: 1}},
	} {
		if got := judge(c.sent, c.came...); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(said(3, 2)))
	f.Add([]byte(`{"p":`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, ok := parse(b)
		if ok && (m.publisher < 0 || m.swap < 0 || m.window >= windows) {
			t.Errorf("%q: %+v", b, m)
		}
	})
}
