package load

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
)

// WriteJSON writes r as one line.
func (r *Result) WriteJSON(w io.Writer) error {
	if err := json.NewEncoder(w).Encode(r); err != nil {
		return fmt.Errorf("load: report: %w", err)
	}
	return nil
}

// WriteTable writes r for a person.
func (r *Result) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, r.head())
	for _, row := range r.rows() {
		fmt.Fprintf(t, "%s\t%s\t\n", row[0], row[1])
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("load: report: %w", err)
	}
	return nil
}

func (r *Result) head() string {
	if r.Pattern == Idle {
		return fmt.Sprintf("%d idle connections, %d with a subscription",
			r.Publishers+r.Subscribers, r.Subscribers)
	}
	return fmt.Sprintf("%s: %d publishers, %d subscribers, QoS %d, %d bytes, %.1f s",
		r.Pattern, r.Publishers, r.Subscribers, r.QoS, r.PayloadBytes, r.Seconds)
}

func (r *Result) rows() [][2]string {
	num := func(name string, v float64) [2]string { return [2]string{name, fmt.Sprintf("%.1f", v)} }
	count := func(name string, v uint64) [2]string { return [2]string{name, fmt.Sprint(v)} }
	broker := [][2]string{
		{"broker CPU-s per million", fmt.Sprintf("%.3f", r.CPUPerMillion)},
		num("broker RSS kB", float64(r.RSSKB)), num("broker RSS peak kB", float64(r.RSSPeakKB)),
		num("own CPU s", r.OwnCPUSeconds), num("cores of others", r.OthersCores),
	}
	if r.Pattern == Idle {
		return append([][2]string{num("connects/s", r.ConnectsPerSecond),
			num("RSS bytes/connection", r.RSSPerConn), count("dropped", uint64(r.Dropped)),
		}, broker...)
	}
	return append([][2]string{
		num("delivered/s", r.PerSecond), count("delivered", r.Delivered), count("sent", r.Sent),
		count("lost", r.Lost), count("duplicates", r.Duplicates),
		count("out of order", r.OutOfOrder), count("refused", r.Refused), count("stalls", r.Stalls),
		num("p50 µs", r.Latency.P50), num("p90 µs", r.Latency.P90), num("p99 µs", r.Latency.P99),
		num("p99.9 µs", r.Latency.P999), num("max µs", r.Latency.Max),
	}, broker...)
}
