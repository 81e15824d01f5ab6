package configs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	parser "github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/rawbytes"
	"github.com/knadh/koanf/v2"
	"go.yaml.in/yaml/v3"
)

// FileBytesMax bounds a configuration file, FileValuesMax the values in it, those that an alias
// repeats counted each time.
const (
	FileBytesMax  = 1 << 20
	FileValuesMax = 50_000
)

// Sources are the places settings come from, each laid over the one before.
type Sources struct {
	// File is the path of a YAML file, or empty for none.
	File string
	// Environ is the environment as os.Environ answers it; see EnvPrefix.
	Environ []string
	// Flags are settings by path, as "admin.bind", each from the flag that FlagNames has for it.
	Flags map[string]any
	// FlagNames says for a path in Flags what the flag is called, for errors.
	FlagNames map[string]string
}

// Load reads the sources over Default and validates the outcome. An error of type Problems lists
// every fault; any other means that the file cannot be read. It opens nothing but the file.
func Load(s Sources) (Config, error) {
	var text []byte
	if s.File != "" {
		var err error
		if text, err = file.Provider(s.File).ReadBytes(); err != nil {
			return Config{}, fmt.Errorf("configs: read: %w", err)
		}
	}
	return load(s, text)
}

// Parse is Load of a file's text without environment and flags. Paths in it stay as they are.
func Parse(text []byte) (Config, error) { return load(Sources{}, text) }

func load(s Sources, text []byte) (Config, error) {
	from := origins{}
	merged, problems := merge(s, text, from)
	if len(problems) > 0 {
		return Config{}, problems
	}
	c := Default()
	d := decoder{from: from, fresh: fresh(&c.Limits)}
	d.value("", merged, reflect.ValueOf(&c).Elem())
	if _, written := merged["listeners"]; !written {
		c.Listeners[0].Limits = c.Limits
	}
	var invalid Problems
	if err := c.Validate(); errors.As(err, &invalid) {
		d.problems.merge(invalid)
	}
	d.problems.locate(from)
	if err := d.problems.err(); err != nil {
		return Config{}, err
	}
	if s.File != "" {
		c.relativeTo(filepath.Dir(s.File))
	}
	return c, nil
}

// fresh answers what entries of lists and sections start from; limits are those of listeners.
func fresh(limits *Limits) func(reflect.Type) reflect.Value {
	return func(t reflect.Type) reflect.Value {
		switch t {
		case reflect.TypeFor[Listener]():
			return reflect.ValueOf(DefaultListener("", "", *limits))
		case reflect.TypeFor[Secure]():
			return reflect.ValueOf(DefaultSecure())
		case reflect.TypeFor[WebSocket]():
			return reflect.ValueOf(DefaultWebSocket())
		case reflect.TypeFor[Proxy]():
			return reflect.ValueOf(DefaultProxy())
		case reflect.TypeFor[MessageLog]():
			return reflect.ValueOf(DefaultMessageLog())
		}
		return reflect.Value{}
	}
}

// relativeTo makes the paths of components, certificates and keys relative to dir. DataDir and
// TokenFile stay relative to where the broker is started: they are places to write.
func (c *Config) relativeTo(dir string) {
	c.Trust.relativeTo(dir)
	c.Bundles.relativeTo(dir)
	for i := range c.Listeners {
		c.Listeners[i].relativeTo(dir)
	}
}

// merge lays the sources over each other.
func merge(s Sources, text []byte, from origins) (map[string]any, Problems) {
	k := koanf.New(".")
	lay := koanf.WithMergeFunc(overlay)
	if problems := readOrigins(filepath.Base(s.File), text, from); len(problems) > 0 {
		return nil, problems
	}
	if err := k.Load(rawbytes.Provider(text), parser.Parser(), lay); err != nil {
		return nil, syntaxProblems(filepath.Base(s.File), err)
	}
	if err := k.Load(environment(s.Environ, from), nil, lay); err != nil {
		return nil, Problems{{Where: "environment", Text: err.Error()}}
	}
	for path := range s.Flags {
		from.replace(path, s.FlagNames[path])
	}
	if err := k.Load(confmap.Provider(s.Flags, "."), nil, lay); err != nil {
		return nil, Problems{{Where: "flags", Text: err.Error()}}
	}
	return k.Raw(), nil
}

// readOrigins reads the lines of a file and refuses what is no single mapping.
func readOrigins(name string, text []byte, from origins) Problems {
	if len(text) > FileBytesMax {
		return Problems{{Where: name, Text: fmt.Sprintf("is larger than %d bytes", FileBytesMax)}}
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return syntaxProblems(name, err)
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode && root.Tag != "!!null" {
		return Problems{{Where: name, Text: "must be a mapping: keys, each followed by a colon"}}
	}
	if countValues(root, FileValuesMax) > FileValuesMax {
		return Problems{{Where: name, Text: fmt.Sprintf("has more than %d values", FileValuesMax)}}
	}
	from.readLines(name, "", root)
	if err := dec.Decode(&doc); !errors.Is(err, io.EOF) {
		return Problems{{Where: name, Text: "must be one document: no line of ---"}}
	}
	return nil
}

// countValues counts node and what is under it; it stops above most.
func countValues(node *yaml.Node, most int) int {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	n := 1
	for _, child := range node.Content {
		if n > most {
			break
		}
		n += countValues(child, most-n)
	}
	return n
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?`)

// syntaxProblems makes a problem of each line of what the parser has to say.
func syntaxProblems(name string, err error) Problems {
	lines := []string{err.Error()}
	var typed *yaml.TypeError
	if errors.As(err, &typed) {
		lines = typed.Errors
	}
	var ps Problems
	for _, line := range lines {
		p := Problem{Where: name}
		m := yamlLine.FindStringSubmatch(line)
		if n, err := strconv.Atoi(m[1]); err == nil {
			p.Where, p.order = fmt.Sprintf("%s:%d", name, n), n
		}
		p.Text = strings.TrimPrefix(line, m[0])
		ps = append(ps, p)
	}
	return ps
}
