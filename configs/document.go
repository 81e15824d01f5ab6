package configs

import (
	"encoding/json"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// JSON makes JSON of a document in YAML or JSON, one mapping within the bounds of a configuration
// file. name is how errors call it.
func JSON(name string, text []byte) ([]byte, error) {
	if problems := readOrigins(name, text, origins{}); len(problems) > 0 {
		return nil, problems
	}
	var v map[string]any
	if err := yaml.Unmarshal(text, &v); err != nil {
		return nil, syntaxProblems(name, err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("%s: only texts are keys: %w", name, err)
	}
	return b, nil
}
