package demo

import (
	"context"
	"testing"
	"time"

	"github.com/hpmq/hpmq/conformance/process"
)

// Components that the toolchains of many languages made follow each other on one listener, and no
// message may be lost, doubled, out of order, or unchanged.
func TestLanguages(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the real binaries")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	guests, err := Guests("../guests/policy")
	if err != nil {
		t.Fatal(err)
	}
	if len(guests) < 5 {
		t.Fatalf("%d languages: %v", len(guests), guests)
	}
	o := Options{Rate: 1000, Each: 200, Out: t.Output()}
	if o.Hpmq, o.Cli, err = process.Build(ctx, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	r, err := Languages(ctx, o, guests)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Faults {
		t.Error(f)
	}
	if len(r.Shapes) != 1 || r.Shapes[0] != string(through) {
		t.Errorf("shapes seen in turn: %v", r.Shapes)
	}
	if r.Sent != r.Received {
		t.Errorf("%d sent, %d received", r.Sent, r.Received)
	}
}

// The way of a newcomer, in the language whose toolchain is here in any case.
func TestNewcomer(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the real binaries")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	o := Options{Rate: 200, Each: 100, Out: t.Output()}
	var err error
	if o.Hpmq, o.Cli, err = process.Build(ctx, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	r, err := Newcomer(ctx, o, []string{"go"})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Faults {
		t.Error(f)
	}
	if len(r.Shapes) != 2 || r.Shapes[0] != string(raw) || r.Shapes[1] != string(wrapped) {
		t.Errorf("shapes seen in turn: %v", r.Shapes)
	}
	if r.Sent != r.Received {
		t.Errorf("%d sent, %d received", r.Sent, r.Received)
	}
}
