package app

import (
	"cmp"
	"context"
	"slices"

	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/sdk/client"
)

// Failures is admin.Links.
func (o *operator) Failures(_ context.Context, listener string) ([]client.Failure, error) {
	if listener != "" {
		if _, err := o.places.find(listener); err != nil {
			return nil, err
		}
	}
	names := o.names()
	var out []client.Failure
	for _, f := range o.linker.Failures() {
		name, ok := names[f.Listener]
		if !ok || listener != "" && listener != name {
			continue
		}
		f.Listener = name
		out = append(out, failureOf(&f))
	}
	slices.SortStableFunc(out, func(x, y client.Failure) int {
		return cmp.Compare(x.Listener, y.Listener)
	})
	return out, nil
}

func failureOf(f *link.Failure) client.Failure {
	standing := client.Gone
	switch {
	case f.Shadow:
		standing = client.Shadow
	case f.Canary:
		standing = client.Canary
	case f.Linked:
		standing = client.Serving
	}
	return client.Failure{
		Listener: f.Listener, Role: f.Role.String(), Position: f.Position, Standing: standing,
		Name: f.Name, Version: f.Version, Digest: f.Digest, OnFault: f.OnFault.String(),
		Kind: string(f.Kind), Count: f.Count, First: f.First, Last: f.Last,
		Function: f.Function, Text: f.Text, Said: f.Said, Fuel: f.Fuel, FuelMax: f.FuelMax,
		ClientID: f.Client, Topic: f.Topic, Redacted: f.Redacted, Backtrace: f.Backtrace,
	}
}
