package load

import "math/bits"

const (
	// subBuckets divide each power of two, so a value is known to 1/32, some 3 %.
	subBits    = 5
	subBuckets = 1 << subBits
	buckets    = (64 - subBits + 1) * subBuckets
)

// Histogram counts nanoseconds in buckets whose width grows with the value.
// One goroutine uses it.
type Histogram struct {
	counts [buckets]uint64
	total  uint64
	most   int64
}

// Add counts one value; below 0 is 0.
func (h *Histogram) Add(ns int64) {
	ns = max(ns, 0)
	h.counts[bucketOf(uint64(ns))]++
	h.total++
	h.most = max(h.most, ns)
}

// Merge adds what another counted.
func (h *Histogram) Merge(o *Histogram) {
	for i, n := range o.counts {
		h.counts[i] += n
	}
	h.total += o.total
	h.most = max(h.most, o.most)
}

// Quantile answers the upper end of the bucket that holds the value at q, 0 to 1.
func (h *Histogram) Quantile(q float64) int64 {
	if h.total == 0 {
		return 0
	}
	want := uint64(q * float64(h.total))
	want = min(max(want, 1), h.total)
	var seen uint64
	for i, n := range h.counts {
		if seen += n; seen >= want {
			return min(int64(bucketTop(i)), h.most)
		}
	}
	return h.most
}

func (h *Histogram) latency() Latency {
	us := func(q float64) float64 { return float64(h.Quantile(q)) / 1e3 }
	return Latency{P50: us(.5), P90: us(.9), P99: us(.99), P999: us(.999), Max: us(1)}
}

// bucketOf: values below subBuckets have a bucket each; above, the subBits bits after the leading
// one choose within their power of two.
func bucketOf(v uint64) int {
	if v < subBuckets {
		return int(v)
	}
	exp := bits.Len64(v) - 1 - subBits
	return (exp+1)*subBuckets + int(v>>exp) - subBuckets
}

func bucketTop(i int) uint64 {
	if i < subBuckets {
		return uint64(i)
	}
	exp := i/subBuckets - 1
	return uint64(i%subBuckets+subBuckets+1)<<exp - 1
}
