//go:build unix

package app

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

const (
	storedSessions   = 1000
	storedPublishers = 16
	storedWindow     = 512
)

// BenchmarkStored is publishers of QoS 1, 128 bytes, whose messages wait for sessions that are
// away: PUBACK says that the message is safe.
func BenchmarkStored(b *testing.B) {
	cfg := diskNode(b.TempDir())
	cfg.Store.Memory = 1024 * configs.MiB
	cfg.Listeners[0].Link = configs.Link{}
	cfg.Listeners[0].Limits.QueueMessagesMax = 10_000_000
	cfg.Listeners[0].Limits.QueueBytesMax = 1 << 34
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	a, err := Open(b.Context(), cfg, Options{Log: log})
	if err != nil {
		b.Fatal(err)
	}
	at := a.Listening()[0].Address
	for i := range storedSessions {
		away(b, at, i)
	}
	before, cpu := a.loops.disk.Stats(), cpuTime()
	b.SetBytes(128)
	b.ResetTimer()
	var all sync.WaitGroup
	took := make([][]time.Duration, storedPublishers)
	for p := range storedPublishers {
		all.Add(1)
		go func() {
			defer all.Done()
			took[p] = pour(b, at, p, b.N/storedPublishers+1)
		}()
	}
	all.Wait()
	b.StopTimer()
	n := float64(b.N)
	st := a.loops.disk.Stats()
	list := slices.Concat(took...)
	slices.Sort(list)
	b.ReportMetric(n/b.Elapsed().Seconds(), "stored/s")
	b.ReportMetric(float64(st.Syncs-before.Syncs)/n, "fsyncs/op")
	b.ReportMetric(float64(list[len(list)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(n/(cpuTime()-cpu).Seconds(), "stored/cpu-s") // with the publishers
	b.ReportMetric(float64(rss())/(1<<20), "MiB-rss")
	if err := a.Close(); err != nil {
		b.Fatal(err)
	}
}

// away leaves a session that wants one topic.
func away(b *testing.B, address string, i int) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	c := mqtt.Connect{Version: mqtt.V5, ClientID: fmt.Appendf(nil, "away-%d", i)}
	c.Props = c.Props.AppendUint32(mqtt.SessionExpiryInterval, 3600)
	list := []mqtt.Subscription{{Filter: fmt.Appendf(nil, "s/%d", i), QoS: mqtt.AtLeastOnce}}
	out := mqtt.AppendSubscribe(c.Append(nil), mqtt.V5, 1, nil, list)
	if _, err := conn.Write(out); err != nil {
		b.Fatal(err)
	}
	in := bufio.NewReader(conn)
	skip(b, in)
	skip(b, in)
	_ = conn.Close()
}

// skip reads one packet of less than 128 bytes.
func skip(b *testing.B, in *bufio.Reader) byte {
	head := make([]byte, 2)
	if _, err := io.ReadFull(in, head); err != nil {
		b.Error(err)
		return 0
	}
	if _, err := in.Discard(int(head[1])); err != nil {
		b.Error(err)
	}
	return head[0] >> 4
}

// pour publishes n messages, a window at a time, and answers how long each was under way.
func pour(b *testing.B, address string, p, n int) []time.Duration {
	return pourAt(b, address, p, n, mqtt.AtLeastOnce)
}

// pourAt is pour at any QoS but 0. At 2 the next one follows PUBREC.
func pourAt(b *testing.B, address string, p, n int, q mqtt.QoS) []time.Duration {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		b.Error(err)
		return nil
	}
	defer func() { _ = conn.Close() }()
	c := mqtt.Connect{Version: mqtt.V311, CleanStart: true, ClientID: fmt.Appendf(nil, "pub-%d", p)}
	if _, err := conn.Write(c.Append(nil)); err != nil {
		b.Error(err)
	}
	in := bufio.NewReaderSize(conn, 64<<10)
	skip(b, in)
	slots := make(chan time.Time, storedWindow)
	go func() {
		out := bufio.NewWriterSize(conn, 16<<10)
		payload := make([]byte, 128)
		for i := range n {
			if len(slots) == cap(slots) {
				_ = out.Flush()
			}
			slots <- time.Now()
			m := mqtt.Publish{
				QoS: q, PacketID: uint16(i%60000 + 1), Payload: payload,
				Topic: fmt.Appendf(nil, "s/%d", (p*7919+i)%storedSessions),
			}
			_, _ = out.Write(m.Append(nil, mqtt.V311))
		}
		_ = out.Flush()
	}()
	took := make([]time.Duration, 0, n)
	for range n {
		if t := skip(b, in); t != byte(mqtt.PUBACK) && t != byte(mqtt.PUBREC) {
			b.Errorf("packet %d", t)
			return took
		}
		took = append(took, time.Since(<-slots))
	}
	return took
}

// cpuTime is what this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
