package load

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// WriteMedians reads results as WriteJSON writes them and writes a table in Markdown: a row for
// each label, pattern and QoS, in the order they first came, with the median of each column. Faults
// are not medians but sums: one lost message of one round is seen.
func WriteMedians(w io.Writer, from io.Reader) error {
	var keys []string
	groups := map[string][]Result{}
	dec := json.NewDecoder(from)
	for {
		var r Result
		err := dec.Decode(&r)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("load: medians: %w", err)
		}
		key := fmt.Sprintf("%s %d %s", r.Pattern, r.QoS, r.Label)
		if groups[key] == nil {
			keys = append(keys, key)
		}
		groups[key] = append(groups[key], r)
	}
	t := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	fmt.Fprintln(t, "| broker\t| pattern\t| QoS\t| rounds\t| delivered/s\t| CPU-s per million"+
		"\t| p50 µs\t| p99 µs\t| RSS kB\t| lost\t| doubled\t| out of order\t|")
	fmt.Fprintln(t, "|---\t|---\t|---\t|---\t|---\t|---\t|---\t|---\t|---\t|---\t|---\t|---\t|")
	for _, k := range keys {
		writeMedian(t, groups[k])
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("load: medians: %w", err)
	}
	return nil
}

func writeMedian(w io.Writer, rs []Result) {
	mid := func(of func(*Result) float64) float64 {
		var v []float64
		for i := range rs {
			v = append(v, of(&rs[i]))
		}
		return median(v)
	}
	var lost, twice, late uint64
	for i := range rs {
		lost, twice, late = lost+rs[i].Lost, twice+rs[i].Duplicates, late+rs[i].OutOfOrder
	}
	fmt.Fprintf(w, "| %s\t| %s\t| %d\t| %d\t| %.0f\t| %.2f"+
		"\t| %.0f\t| %.0f\t| %.0f\t| %d\t| %d\t| %d\t|\n",
		rs[0].Label, rs[0].Pattern, rs[0].QoS, len(rs),
		mid(func(r *Result) float64 { return r.PerSecond }),
		mid(func(r *Result) float64 { return r.CPUPerMillion }),
		mid(func(r *Result) float64 { return r.Latency.P50 }),
		mid(func(r *Result) float64 { return r.Latency.P99 }),
		mid(func(r *Result) float64 { return float64(r.RSSKB) }),
		lost, twice, late)
}

// median of an even number of values is the mean of the two in the middle.
func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
