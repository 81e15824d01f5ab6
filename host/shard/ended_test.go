package shard

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// At level debug the log says of each connection that ended who it was and why; above that nothing.
func TestEndsAreLogged(t *testing.T) {
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo} {
		t.Run(level.String(), func(t *testing.T) {
			h := start(t, func(h *house, c *Config) {
				o := &slog.HandlerOptions{Level: level}
				c.Gate.Log = slog.New(slog.NewTextHandler(h.log, o))
			})
			h.dial("polite").send((&mqtt.Disconnect{}).Append(nil, mqtt.V5))
			_ = h.dial("rude").c.Close()
			h.dial("wrong").send([]byte{0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F})
			h.dial("old")
			h.dial("old")
			dial(t, "tcp", h.addr).send([]byte{0xC0, 0})
			until(t, "all but one are over", func() bool { return h.stats().Gate.Connections == 1 })
			got := h.log.String()
			for _, want := range []string{
				`client=polite address=127.0.0.1 listener=main reason="the client disconnected"`,
				`client=rude address=127.0.0.1 listener=main reason="the connection was lost" err=`,
				`client=wrong address=127.0.0.1 listener=main reason="Malformed Packet" err=`,
				`client=old address=127.0.0.1 listener=main reason="Session taken over"` + "\n",
				`client="" address=127.0.0.1 listener=main reason="no answer fits"` + "\n",
			} {
				if strings.Contains(got, want) != (level == slog.LevelDebug) {
					t.Errorf("want %s in\n%s", want, got)
				}
			}
		})
	}
}
