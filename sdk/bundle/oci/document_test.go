package oci

import (
	"errors"
	"strings"
	"testing"
)

// A few bytes of JSON cost who reads them a hundred times as many: they are counted before.
func TestDocumentsAreCountedBeforeTheyAreRead(t *testing.T) {
	bomb := `{"schemaVersion":2,"layers":[` + strings.Repeat("{},", DocumentValuesMax) + "{}]}"
	l := New()
	d, err := l.Add(MediaTypeManifest, []byte(bomb))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Manifest(d); !errors.Is(err, ErrLayout) ||
		!strings.Contains(err.Error(), "at most 65536 are read") {
		t.Error("a manifest:", err)
	}
	index := strings.Replace(bomb, "layers", "manifests", 1)
	if err := New().readIndex([]byte(index), marker()); !errors.Is(err, ErrLayout) ||
		!strings.Contains(err.Error(), "at most 65536 are read") {
		t.Error("an index:", err)
	}
	for text, ok := range map[string]bool{
		`"` + strings.Repeat(",", DocumentValuesMax+1) + `"`:   true,
		`"\"` + strings.Repeat("{", DocumentValuesMax+1) + `"`: true,
		`"\\"` + strings.Repeat(",", DocumentValuesMax+1):      false,
		"": true, `"`: true, `\`: true,
	} {
		if err := CheckDocument([]byte(text)); ok != (err == nil) {
			t.Errorf("%.8s…: %v", text, err)
		}
	}
}
