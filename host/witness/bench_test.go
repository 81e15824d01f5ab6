package witness

import (
	"fmt"
	"testing"
	"time"

	"github.com/hpmq/hpmq/host/msglog"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// BenchmarkPublish is a PUBLISH to one subscriber, logged and not; the records are put together,
// compressed and written beside it, which ns/op does not count but CPU does.
func BenchmarkPublish(b *testing.B) {
	for name, set := range map[string]Settings{
		"full": Whole(), "none": {Filters: []string{"#"}, Payload: None, BytesMax: 1 << 30,
			AgeMax: time.Hour}, "other topic": {Filters: []string{"x/#"}, BytesMax: 1 << 30,
			AgeMax: time.Hour}, "no log": Whole(),
	} {
		b.Run(name, func(b *testing.B) {
			s := newStand(b, 1, set, nil)
			if name == "no log" {
				s.lis[0].Policy = judge{}
			}
			pub := s.client(0, "gateway-17", "#")
			var frames [][]byte
			for i := range 20_000 {
				p := mqtt.Publish{Topic: fmt.Appendf(nil, "plant/line%d/sensor%d", i%4, i%200)}
				p.Payload = fmt.Appendf(nil,
					`{"temperature":%d.%02d,"state":"run","device":"SN-%06d"}`,
					20+i*i%7, i*i*31%100, i%200)
				frames = append(frames, p.Append(nil, mqtt.V311))
			}
			var off time.Duration
			b.ReportAllocs()
			for i := range b.N {
				s.kernels[0].Packet(s.now, pub, frames[i%len(frames)])
				if len(s.w.loops[0].page.buf) > 1<<19 {
					b.StopTimer()
					at := time.Now()
					s.now += 100
					s.w.turn()
					off += time.Since(at)
					b.StartTimer()
				}
			}
			b.StopTimer()
			s.w.turn()
			s.w.turn()
			s.w.books["l"].log.Flush(0)
			st := s.w.Stats()["l"]
			b.ReportMetric(float64(off.Nanoseconds())/float64(b.N), "ns-beside/op")
			if st.Records > 0 {
				b.ReportMetric(float64(st.Bytes)/float64(st.Records), "disk-B/record")
			}
		})
	}
}

// BenchmarkLook asks for one client, one topic and everything among 200,000 records.
func BenchmarkLook(b *testing.B) {
	s := newStand(b, 1, Whole(), func(c *Config) { c.ScanBytesMax = 1 << 40 })
	const records = 200_000
	r := msglog.Record{Part: msglog.Part{Outcome: msglog.Delivered, Held: msglog.Whole}}
	for i := range records {
		s.now += 10
		r.ID, r.Time = uint64(i+1), int64(s.now)
		r.Client = fmt.Appendf(r.Client[:0], "client-%d", i/2000)
		r.Topic = fmt.Appendf(r.Topic[:0], "plant/%d/sensor%d", i/2000, i%50)
		r.Payload = fmt.Appendf(r.Payload[:0], `{"temperature":%d.%02d,"n":%d}`, i%40, i*7%100, i)
		s.w.books["l"].log.Append(&r)
	}
	s.w.books["l"].log.Flush(0)
	for name, q := range map[string]msglog.Query{
		"all": {}, "topic": {Filter: "plant/7/sensor3"}, "filter": {Filter: "plant/7/#"},
		"client": {Client: "client-7"}, "outcome": {Outcome: msglog.Denied},
	} {
		b.Run(name, func(b *testing.B) {
			n := 0
			for range b.N {
				n = 0
				_, err := s.w.Look(b.Context(), Question{Query: q, Max: records, BytesMax: 1 << 40},
					func(*msglog.Record) bool { n++; return true })
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n), "answers")
			b.ReportMetric(records*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrecords/s")
		})
	}
}
