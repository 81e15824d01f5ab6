package fields

// The functions of this file take the place where something begins and answer the place after it,
// or -1 when it is not there; given -1 they answer -1.

// space is the way that is almost always short.
func space(s string, i int) int {
	if uint(i) < uint(len(s)) && s[i] > ' ' {
		return i
	}
	return spaces(s, i)
}

func spaces(s string, i int) int {
	for i >= 0 && i < len(s) && (s[i] == ' ' || s[i] == '\n' || s[i] == '\t' || s[i] == '\r') {
		i++
	}
	return i
}

// colon is a colon with space around it.
func colon(s string, i int) int {
	i = space(s, i)
	if i < 0 || i >= len(s) || s[i] != ':' {
		return -1
	}
	return space(s, i+1)
}

// nest is what is open around a value: a bit for each bracket, set for an object, so that no
// payload exhausts a stack.
type nest struct {
	objects uint64
	depth   int
}

// value is any JSON value.
func value(s string, i int) int {
	var n nest
	for i >= 0 && i < len(s) {
		if c := s[i]; c == '{' || c == '[' {
			var empty bool
			if i, empty = n.open(s, i); !empty {
				continue
			}
		} else {
			i = scalar(s, i)
		}
		if i = n.next(s, i); n.depth == 0 {
			return i
		}
	}
	return -1
}

// open steps into the object or list at i, to its first value, or over it when it is empty.
func (n *nest) open(s string, i int) (after int, empty bool) {
	bracket := s[i]
	i = space(s, i+1)
	if n.depth == DepthMax {
		return -1, false
	}
	if i < len(s) && s[i] == bracket+2 { // ']' is '['+2, '}' is '{'+2
		return i + 1, true
	}
	n.depth++
	n.objects <<= 1
	if bracket == '{' {
		n.objects |= 1
		i = colon(s, quoted(s, i))
	}
	return i, false
}

// next steps from behind a value to the next one, out of all that ends there.
func (n *nest) next(s string, i int) int {
	for n.depth > 0 {
		i = space(s, i)
		if i < 0 || i >= len(s) {
			return -1
		}
		object := n.objects&1 != 0
		switch {
		case s[i] == ',' && object:
			return colon(s, quoted(s, space(s, i+1)))
		case s[i] == ',':
			return space(s, i+1)
		case object && s[i] != '}', !object && s[i] != ']':
			return -1
		}
		i++
		n.depth--
		n.objects >>= 1
	}
	return i
}

// scalar is a string, a number, true, false or null.
func scalar(s string, i int) int {
	switch s[i] {
	case '"':
		return quoted(s, i)
	case 't':
		return word(s, i, "true")
	case 'f':
		return word(s, i, "false")
	case 'n':
		return word(s, i, "null")
	default:
		return number(s, i)
	}
}

func word(s string, i int, w string) int {
	if len(s)-i < len(w) || s[i:i+len(w)] != w {
		return -1
	}
	return i + len(w)
}

// quoted is a string with its quotes.
func quoted(s string, i int) int {
	if i < 0 || i >= len(s) || s[i] != '"' {
		return -1
	}
	// Unsigned, since the compiler then knows that each index is within bounds: half the time.
	for at := uint(i) + 1; at < uint(len(s)); at++ {
		c := s[at]
		if c > '"' && c != '\\' {
			continue
		}
		if c == '"' {
			return int(at) + 1
		}
		if c == '\\' {
			last := escape(s, int(at)+1)
			if last < 0 {
				return -1
			}
			at = uint(last)
		} else if c < ' ' {
			return -1
		}
	}
	return -1
}

// escape answers the last byte of what follows a backslash.
func escape(s string, i int) int {
	if i >= len(s) {
		return -1
	}
	switch s[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i
	case 'u':
		for n := 0; n < 4; n++ {
			if i++; i >= len(s) || !hex(s[i]) {
				return -1
			}
		}
		return i
	}
	return -1
}

func hex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func number(s string, i int) int {
	if s[i] == '-' {
		i++
	}
	if i < len(s) && s[i] == '0' {
		i++
	} else if i = digits(s, i); i < 0 {
		return -1
	}
	if i < len(s) && s[i] == '.' {
		if i = digits(s, i+1); i < 0 {
			return -1
		}
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		return digits(s, i)
	}
	return i
}

// digits is one digit or more.
func digits(s string, i int) int {
	start := i
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	if i == start {
		return -1
	}
	return i
}
