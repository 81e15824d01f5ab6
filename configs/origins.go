package configs

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// origin is where a setting was written.
type origin struct {
	where string
	line  int  // of the file, 0 for anything else
	text  bool // it came as a text and may mean a number or a truth value
}

// origins knows for each path where it was written last.
type origins map[string]origin

// nearest answers the origin of path, or of the closest thing around it.
func (from origins) nearest(path string) origin {
	for path != "" {
		if o, ok := from[path]; ok {
			return o
		}
		path = parent(path)
	}
	return origin{}
}

// replace notes that path and all under it were written anew at where.
func (from origins) replace(path, where string) {
	for p := range from {
		rest, ok := strings.CutPrefix(p, path)
		if ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			delete(from, p)
		}
	}
	from[path] = origin{where: where}
}

// readText notes that path was written as a text in the variable name.
func (from origins) readText(path, name string) {
	from.replace(path, name)
	from[path] = origin{where: name, text: true}
	for p := parent(path); p != ""; p = parent(p) {
		if _, ok := from[p]; !ok {
			from[p] = origin{where: name}
		}
	}
}

// readLines remembers the line of every key and list entry under node.
func (from origins) readLines(file, path string, node *yaml.Node) {
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			key, value := node.Content[i], node.Content[i+1]
			from.readLine(file, join(path, key.Value), key.Line, value)
		}
	case yaml.SequenceNode:
		for i, value := range node.Content {
			from.readLine(file, fmt.Sprintf("%s[%d]", path, i), value.Line, value)
		}
	}
}

func (from origins) readLine(file, path string, line int, value *yaml.Node) {
	from[path] = origin{where: fmt.Sprintf("%s:%d", file, line), line: line}
	from.readLines(file, path, value)
}

// join puts key under path.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// parent is the path of what holds path, "" at the top.
func parent(path string) string {
	return path[:max(strings.LastIndexAny(path, ".["), 0)]
}
