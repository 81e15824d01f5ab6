package fields

import (
	"strconv"
	"strings"
)

// At is the value that path leads to in the JSON value text: names of fields and, in lists, numbers
// from 0, with dots between, as in "sensors.0.value". A name that has a dot cannot be reached.
func At(text, path string) (string, bool) {
	i := space(text, 0)
	for more := true; more; {
		var name string
		name, path, more = strings.Cut(path, ".")
		if i = member(text, i, name); i < 0 {
			return "", false
		}
	}
	end := value(text, i)
	if end < 0 {
		return "", false
	}
	return text[i:end], true
}

// member is where the value called name begins in the object or list at i.
func member(s string, i int, name string) int {
	if i < 0 || i >= len(s) {
		return -1
	}
	switch s[i] {
	case '{':
		return inObject(s, i, name)
	case '[':
		n, err := strconv.ParseUint(name, 10, 31)
		if err != nil {
			return -1
		}
		return inList(s, i, int(n))
	}
	return -1
}

// inObject takes the last of two fields with one name, as Find does.
func inObject(s string, i int, name string) int {
	found := -1
	for i = space(s, i+1); i >= 0; i = space(s, i+1) {
		end := quoted(s, i)
		at := colon(s, end)
		if at < 0 {
			return found
		}
		if s[i+1:end-1] == name {
			found = at
		}
		if i = space(s, value(s, at)); i < 0 || i >= len(s) || s[i] != ',' {
			return found
		}
	}
	return found
}

func inList(s string, i, n int) int {
	i = space(s, i+1)
	if i < len(s) && s[i] == ']' {
		return -1
	}
	for ; n > 0; n-- {
		if i = space(s, value(s, i)); i < 0 || i >= len(s) || s[i] != ',' {
			return -1
		}
		i = space(s, i+1)
	}
	return i
}
