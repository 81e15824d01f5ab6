package main

import (
	"path/filepath"
	"testing"
)

func TestListenerCommandsAskAndPrint(t *testing.T) {
	config := filepath.Join(t.TempDir(), "c.json")
	write(t, config, `{"a": [1]}`)
	for name, c := range map[string]exchange{
		"listener list": {"listener list", `[{"name":"mqtt","bind":"tcp://:1883"}]`,
			"GET /api/v1/listeners", "mqtt  -      tcp://:1883  0"},
		"listener list soonest": {"listener list", `[{"name":"s","bind":"tls://:1",` +
			`"certificates":[` +
			`{"subject":"CN=a","not_after":"2031-01-02T00:00:00Z"},` +
			`{"subject":"CN=b","not_after":"2030-01-02T00:00:00Z"}]}]`,
			"GET /api/v1/listeners", "CN=a         2030-01-02"},
		"listener add": {"listener add lab tcp://:1", `{"name":"lab","bind":"tcp://[::]:1"}`,
			`POST /api/v1/listeners {"bind":"tcp://:1","name":"lab"}`,
			"lab listens on tcp://[::]:1"},
		"listener add tls": {"listener add s --bind tls://:1 --certificate /a.pem --key /a.key " +
			"--client-ca /ca.pem --limit connections_max=5 --limit bytes_in_per_second=64KiB",
			`{"name":"s","bind":"tls://:1","warnings":["renew it"]}`,
			`POST /api/v1/listeners {"bind":"tls://:1","limits":{"bytes_in_per_second":"64KiB",` +
				`"connections_max":5},"name":"s","tls":{"certificates":[{"certificate":"/a.pem",` +
				`"key":"/a.key"}],"client_auth":"required","client_ca":"/ca.pem"}}`,
			"warning: renew it"},
		"listener change": {"listener change lab --limit retain=false --ws-path /x",
			`{"name":"lab","bind":"ws://:1"}`,
			`PATCH /api/v1/listeners/lab {"limits":{"retain":false},"websocket":{"path":"/x"}}`,
			"lab is changed, on ws://:1"},
		"listener change file": {"listener change lab --file " + config, `{"name":"lab"}`,
			`PUT /api/v1/listeners/lab {"a": [1]}`, "lab is changed"},
		"listener show": {"listener show lab~1",
			`{"name":"lab~1","bind":"tcp://:1","state":"keep",` +
				`"settings":{"limits":{"qos_max":1}}}`,
			"GET /api/v1/listeners/lab~1", "limits.qos_max"},
		"listener certificates": {"listener reload-certificates s",
			`{"name":"s","certificates":[{"subject":"CN=s","not_after":"2030-01-02T03:04:05Z"}]}`,
			"POST /api/v1/listeners/s/certificates/reload",
			"CN=s         -    2030-01-02 03:04:05"},
		"listener remove": {"listener remove lab --connections drain --drain-timeout 2m", "",
			"DELETE /api/v1/listeners/lab?connections=drain&drain_timeout=2m0s", "is closed"},
	} {
		t.Run(name, func(t *testing.T) { c.check(t) })
	}
}
