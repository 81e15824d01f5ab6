package app

import (
	"testing"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// TestSampleWorks runs configs/components.yaml: each component does what the comments there say.
func TestSampleWorks(t *testing.T) {
	c, err := configs.Load(configs.Sources{File: "../../configs/components.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	c.DataDir, c.Admin.Bind = configs.Memory, configs.Off
	c.Listeners[0].Bind = "tcp://127.0.0.1:0"
	a := open(t, c)
	at := address(t, a, "plant")
	for password, want := range map[string]mqtt.ReasonCode{
		"wrong": mqtt.BadUserNameOrPassword, "": mqtt.BadUserNameOrPassword,
	} {
		if _, got := dialAs(t, at, login{"x", "sensor-17", password}); got != want {
			t.Errorf("password %q: %v, want %v", password, got, want)
		}
	}
	dashboard, _ := dialAs(t, at, login{"d", "dashboard", "change-me"})
	dashboard.subscribe("plant/#")
	sensor, _ := dialAs(t, at, login{"s", "sensor-17", "change-me"})
	sensor.publish("vendor/acme/sensor-18/climate", `{"t":1}`) // not its own
	for _, payload := range []string{`{"t":215}`, `{"t":216}`, `{"t":220}`} {
		sensor.publish("vendor/acme/sensor-17/climate", payload)
	}
	sensor.publish("vendor/acme/sensor-17/alarm", `{"t":999}`)
	for _, want := range [][2]string{
		{"plant/sensor-17/climate", `{"temperature":21.5,"unit":"C"}`},
		{"plant/sensor-17/climate", `{"temperature":22,"unit":"C"}`},
		{"plant/sensor-17/alarm", `{"temperature":99.9,"unit":"C"}`},
		{"plant/alarms/sensor-17", `{"temperature":99.9,"unit":"C"}`},
	} {
		topic, payload := dashboard.receive()
		if got := [2]string{topic, payload}; got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}
