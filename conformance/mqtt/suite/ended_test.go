package suite

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// A run that is ended waits for nothing that a case waits for, and what it cut off is no verdict.
func TestEndedCutsOff(t *testing.T) {
	o := options((&fake{}).start(t))
	o.CaseTimeout, o.ExpectTimeout = time.Hour, time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	cases := append(one("a/waits", func(t *T) {
		c := t.Connect()
		cancel()
		c.Expect(mqtt.PUBLISH)
	}), one("a/closed", func(t *T) {})...)
	o.Parallel = 1
	if n := Plan(cases, o); n != 2 {
		t.Errorf("%d planned", n)
	}
	results, err := Run(ctx, cases, o)
	if !errors.Is(err, context.Canceled) || len(results) != 2 {
		t.Fatalf("%v, %+v", err, results)
	}
	for _, res := range results {
		if res.Outcome != NotRun || res.Reason != reasonEnded || len(res.Faults) > 0 {
			t.Errorf("%+v", res)
		}
	}
}

// A broker that refuses is told apart from none at all.
func TestRefusedIsTold(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte{0x20, 2, 0, 5})
			go func() { _, _ = io.Copy(io.Discard, conn) }()
		}
	}()
	target, err := ParseTarget("tcp://"+ln.Addr().String(), TLS{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Run(t.Context(), one("a/b", func(*T) {}), options(target))
	if !errors.Is(err, ErrRefused) || errors.Is(err, ErrUnreachable) ||
		!strings.Contains(err.Error(), "CONNACK 0x87") {
		t.Errorf("got %v", err)
	}
}
