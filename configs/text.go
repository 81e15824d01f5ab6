package configs

import (
	"bytes"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// Text writes the whole of c as YAML, in the order of the struct. Parse reads it back to an equal
// Config.
func (c *Config) Text() ([]byte, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(c); err != nil {
		return nil, fmt.Errorf("configs: text: %w", err)
	}
	if err := enc.Close(); err != nil {
		return nil, fmt.Errorf("configs: text: %w", err)
	}
	return b.Bytes(), nil
}
