package load

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
)

// WriteStored writes the lines that RunStored and RunRetained left in r as tables, in their order.
func WriteStored(w io.Writer, r io.Reader) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	head := ""
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		kind, row, err := storedRow(lines.Bytes())
		if err != nil {
			return fmt.Errorf("load: table: %w", err)
		}
		if kind != head {
			if head != "" {
				fmt.Fprintln(t)
			}
			fmt.Fprintln(t, kind)
			head = kind
		}
		fmt.Fprintln(t, row)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("load: table: %w", err)
	}
	return t.Flush()
}

// storedRow answers the head that a line belongs below, and its row.
func storedRow(line []byte) (head, row string, err error) {
	var x struct {
		StoredResult
		All   *float64 `json:"all_s"`
		First float64  `json:"first_s"`
		CPU   float64  `json:"cpu_s"`
	}
	if err := json.Unmarshal(line, &x); err != nil {
		return "", "", err
	}
	mib := func(bytes int64) string { return fmt.Sprintf("%.1f", float64(bytes)/(1<<20)) }
	ms := func(us float64) string { return fmt.Sprintf("%.1f", us/1000) }
	if x.All != nil {
		return "retained, then subscribed to #\tmessages\tstored/s\tp99 ms\tfirst ms\tall ms\t" +
				"CPU s\tlost\tRSS MiB\tdisk MiB",
			fmt.Sprintf("%s\t%d\t%.0f\t%s\t%.1f\t%.0f\t%.2f\t%d\t%s\t%s", x.Label, x.Messages,
				x.StoredPerSecond, ms(x.Puback.P99), x.First*1000, *x.All*1000, x.CPU,
				x.Messages-x.Delivered, mib(x.RSSKB<<10), mib(x.DiskBytes)), nil
	}
	where := "away"
	if x.Online {
		where = "connected"
	}
	syncs := "-"
	if x.Syncs >= 0 {
		syncs = fmt.Sprintf("%.5f", float64(x.Syncs)/float64(x.Messages))
	}
	return fmt.Sprintf("%d sessions, %s\tmessages\tstored/s\tp50 ms\tp99 ms\tstored/CPU-s\t"+
			"fsyncs/message\tdrained/s\tlost\ttwice\tRSS MiB\tdisk MiB\tothers' cores",
			x.Sessions, where),
		fmt.Sprintf("%s\t%d\t%.0f\t%s\t%s\t%.0f\t%s\t%.0f\t%d\t%d\t%s\t%s\t%.1f", x.Label,
			x.Messages, x.StoredPerSecond, ms(x.Puback.P50), ms(x.Puback.P99),
			float64(x.Messages)/x.StoredCPU, syncs, x.DrainedPerSecond, x.Lost, x.Doubled,
			mib(x.RSSKB<<10), mib(x.DiskBytes), x.OthersCores), nil
}
