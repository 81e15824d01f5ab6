// Package schema knows which configuration a JSON Schema admits, with defaults filled in. It does
// not know whose configuration it is.
//
// A schema is of draft 2020-12 and whole: what it refers to stands in itself, and nothing is ever
// fetched. It may come from anybody, so it is bounded: it does not contain itself, the ways through
// it are counted, and what a configuration takes on them before it is held against it, so that no
// configuration keeps it busy.
package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

const (
	// BytesMax bounds the text of a schema.
	BytesMax = 256 << 10
	// ConfigBytesMax bounds the text of a configuration.
	ConfigBytesMax = 1 << 20
	// depthMax bounds how deep either nests.
	depthMax = 64
	// waysMax bounds the ways from the top of a schema to its ends.
	waysMax = 10_000
	// exponentMax bounds the digits of the exponent of a number.
	exponentMax = 3
)

var (
	// ErrSchema says that a text is no schema, or one beyond the bounds.
	ErrSchema = errors.New("no good JSON Schema")
	// ErrConfig says that a configuration is not as the schema wants it.
	ErrConfig = errors.New("not as its schema wants it")
)

// draft is what $schema may say.
const draft = "https://json-schema.org/draft/2020-12/schema"

// place is the name the schema has while it is compiled; nothing is there.
const place = "schema:///config"

// Schema is a compiled schema. It is safe for concurrent use.
type Schema struct {
	top *jsonschema.Schema
	doc any
}

// nowhere refuses to load what a schema refers to.
type nowhere struct{}

func (nowhere) Load(url string) (any, error) {
	return nil, fmt.Errorf("it refers to %.200q, and nothing is fetched: put what it refers to "+
		"into $defs", url)
}

// Compile reads the text of a schema. Errors are ErrSchema.
func Compile(text []byte) (*Schema, error) {
	s, err := compile(text)
	if err != nil {
		return nil, fmt.Errorf("schema: %w: %w", ErrSchema, err)
	}
	return s, nil
}

func compile(text []byte) (*Schema, error) {
	if len(text) > BytesMax {
		return nil, fmt.Errorf("it has %d bytes; at most %d are read", len(text), BytesMax)
	}
	doc, err := parse(text)
	if err != nil {
		return nil, err
	}
	object, ok := doc.(map[string]any)
	if !ok {
		return nil, errors.New("want an object")
	}
	if said, ok := object["$schema"]; ok && said != draft {
		return nil, fmt.Errorf("its $schema is %.200v; want %s", said, draft)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseLoader(nowhere{})
	x := expressions{made: map[string]*expression{}, left: programMax}
	c.UseRegexpEngine(x.compile)
	if err := c.AddResource(place, doc); err != nil {
		return nil, err
	}
	top, err := c.Compile(place)
	if err != nil {
		return nil, refused(err)
	}
	if err := bounded(top); err != nil {
		return nil, err
	}
	s := &Schema{top: top, doc: doc}
	if top.Default != nil {
		return s, s.checkDefault(*top.Default)
	}
	return s, nil
}

// checkDefault refuses a default of the whole that the schema itself refuses.
func (s *Schema) checkDefault(value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if err := s.Check(text); err != nil {
		return fmt.Errorf("its own default does not fit: %w", err)
	}
	return nil
}

// refused tells what is wrong with a schema, in the order of its text.
func refused(err error) error {
	var wrong *jsonschema.SchemaValidationError
	if errors.As(err, &wrong) {
		var why *jsonschema.ValidationError
		if errors.As(wrong.Err, &why) {
			return errors.New(tell(nil, why))
		}
	}
	return err
}

// Check says whether the schema admits a configuration. Errors are ErrConfig, and name the place.
func (s *Schema) Check(config []byte) error {
	if len(config) > ConfigBytesMax {
		return fmt.Errorf("schema: config: %w: it has %d bytes; at most %d are read", ErrConfig,
			len(config), ConfigBytesMax)
	}
	value, err := parse(config)
	if err != nil {
		return fmt.Errorf("schema: config: %w: %w", ErrConfig, err)
	}
	if err := s.bearable(value); err != nil {
		return fmt.Errorf("schema: config: %w: %w", ErrConfig, err)
	}
	err = s.top.Validate(value)
	var wrong *jsonschema.ValidationError
	if errors.As(err, &wrong) {
		return fmt.Errorf("schema: %w: %s", ErrConfig, tell(s, wrong))
	}
	if err != nil {
		return fmt.Errorf("schema: %w: %w", ErrConfig, err)
	}
	return nil
}

// Fill answers config with what the schema has as defaults for what is not there, and checks it. No
// configuration, or an empty object, is the default of the whole schema, if it has one. What is
// there stays as it stands, in its order.
func (s *Schema) Fill(config []byte) ([]byte, error) {
	config = bytes.TrimSpace(config)
	if len(config) == 0 {
		config = []byte("{}")
	}
	if len(config) > ConfigBytesMax {
		return nil, s.Check(config)
	}
	value, err := parse(config)
	if err != nil {
		return nil, fmt.Errorf("schema: config: %w: %w", ErrConfig, err)
	}
	if empty, ok := value.(map[string]any); ok && len(empty) == 0 && s.top.Default != nil {
		value = *s.top.Default
		if config, err = json.Marshal(value); err != nil {
			return nil, fmt.Errorf("schema: config: %w", err)
		}
	}
	if err := s.bearable(value); err != nil {
		return nil, fmt.Errorf("schema: config: %w: %w", ErrConfig, err)
	}
	filled, err := fill(s.top, config)
	if err != nil {
		return nil, fmt.Errorf("schema: config: %w", err)
	}
	return filled, s.Check(filled)
}
