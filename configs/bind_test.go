package configs

import "testing"

func TestParseBind(t *testing.T) {
	for text, want := range map[string]Bind{
		"tcp://:1883":                {Scheme: TCP, Port: 1883},
		"tls://[::1]:8883":           {Scheme: TLS, Host: "::1", Port: 8883},
		"ws://broker.example:80":     {Scheme: WS, Host: "broker.example", Port: 80},
		"wss://0.0.0.0:443":          {Scheme: WSS, Host: "0.0.0.0", Port: 443},
		"tcp://[fe80::1%25eth0]:1":   {Scheme: TCP, Host: "fe80::1%eth0", Port: 1},
		"tcp://[::1]:0":              {Scheme: TCP, Host: "::1"},
		"unix:///run/hpmq/hpmq.sock": {Scheme: Unix, Path: "/run/hpmq/hpmq.sock"},
	} {
		got, err := ParseBind(text)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
		if again, err := ParseBind(got.String()); err != nil || again != got {
			t.Errorf("%s: prints as %s, which is %+v, %v", text, got, again, err)
		}
	}
	for _, text := range []string{
		"", "127.0.0.1:1883", "tcp://", "tcp://x", "tcp://x:99999", "udp://x:1", "tcp://x:1/path",
		"tcp://u@x:1", "tcp://x:1?a=b", "tcp:x:1", "tcp://[::1:1", "unix://", "unix:///",
		"unix://a", "unix:///a?b", "unix:a",
	} {
		if b, err := ParseBind(text); err == nil {
			t.Errorf("%q passes as %v", text, b)
		}
	}
}

func TestNetworks(t *testing.T) {
	for text, want := range map[string]string{
		"tcp://:1": "tcp", "tcp://name:1": "tcp", "tls://0.0.0.0:1": "tcp4", "ws://[::]:1": "tcp6",
		"wss://127.0.0.1:1": "tcp4", "tcp://[::1]:1": "tcp6", "unix:///a": "unix",
	} {
		if b, err := ParseBind(text); err != nil || b.Network() != want {
			t.Errorf("%s: %s, want %s, %v", text, b.Network(), want, err)
		}
	}
}

func TestOverlaps(t *testing.T) {
	for _, c := range []struct {
		one, two string
		want     bool
	}{
		{"tcp://:1", "tcp://127.0.0.1:1", true},
		{"tcp://:1", "tls://[::1]:1", true},
		{"tcp://:1", "tcp://:2", false},
		{"tcp://:0", "tcp://:0", false},
		{"tcp://0.0.0.0:1", "tcp://[::]:1", false},
		{"tcp://0.0.0.0:1", "tcp://[::1]:1", false},
		{"tcp://127.0.0.1:1", "ws://[::1]:1", false},
		{"tcp://127.0.0.1:1", "ws://127.0.0.1:1", true},
		{"tcp://127.0.0.1:1", "tcp://[::ffff:127.0.0.1]:1", true},
		{"tcp://127.0.0.1:1", "tcp://127.0.0.2:1", false},
		{"tcp://a:1", "tcp://a:1", true},
		{"tcp://a:1", "tcp://0.0.0.0:1", true},
		{"unix:///a", "unix:///a", true},
		{"unix:///a", "unix:///b", false},
		{"unix:///a", "tcp://:1", false},
	} {
		one, err := ParseBind(c.one)
		two, otherErr := ParseBind(c.two)
		if err != nil || otherErr != nil {
			t.Fatal(err, otherErr)
		}
		if one.Overlaps(two) != c.want || two.Overlaps(one) != c.want {
			t.Errorf("%s and %s: want %v", c.one, c.two, c.want)
		}
	}
}
