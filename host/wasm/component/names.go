package component

import (
	"fmt"
	"strings"
)

type nameKind byte

const (
	namePlain nameKind = iota
	nameConstructor
	nameMethod
	nameStatic
	nameInterface
)

// externName is the name of an import or export, taken apart.
type externName struct {
	kind nameKind
	// resource is the first label of an annotated name.
	resource string
}

// parseExternName takes a name apart. Its error says how such names look.
func parseExternName(s string) (externName, error) {
	if !strings.HasPrefix(s, "[") {
		if isLabel(s) {
			return externName{kind: namePlain}, nil
		}
		if isInterfaceName(s) {
			return externName{kind: nameInterface}, nil
		}
		return externName{}, fmt.Errorf("%q is neither in kebab case (a-name) nor an interface "+
			"(namespace:package/interface@1.2.3)", s)
	}
	note, rest, _ := strings.Cut(s[1:], "]")
	if strings.HasPrefix(note, "async") {
		return externName{}, notServed(fmt.Sprintf("async function %q", s), buildSync)
	}
	if note == "get" || note == "set" {
		return externName{}, notServed(fmt.Sprintf("accessor %q", s), "name it as a method")
	}
	kinds := map[string]nameKind{
		"constructor": nameConstructor, "method": nameMethod, "static": nameStatic,
	}
	kind, ok := kinds[note]
	resource, member, dotted := strings.Cut(rest, ".")
	if !ok || !isLabel(resource) || dotted != (kind != nameConstructor) ||
		dotted && !isLabel(member) {
		return externName{}, fmt.Errorf("%q is none of [constructor]type, [method]type.name, "+
			"[static]type.name in kebab case", s)
	}
	return externName{kind: kind, resource: resource}, nil
}

// isLabel tells if s is in kebab case: words of lower case and acronyms of upper case, the first
// of which begins with a letter.
func isLabel(s string) bool {
	for i, fragment := range strings.Split(s, "-") {
		if !isWord(fragment, i == 0) && !isAcronym(fragment, i == 0) {
			return false
		}
	}
	return true
}

func isWord(s string, first bool) bool { return isFragment(s, first, 'a') }

func isAcronym(s string, first bool) bool { return isFragment(s, first, 'A') }

// isFragment tells if s is of digits and the 26 letters from a on.
func isFragment(s string, first bool, a byte) bool {
	for i := range len(s) {
		letter := s[i] >= a && s[i] < a+26
		if !letter && (!isDigit(s[i]) || first && i == 0) {
			return false
		}
	}
	return s != ""
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

// isWords tells if s is a label of words alone.
func isWords(s string) bool {
	for i, w := range strings.Split(s, "-") {
		if !isWord(w, i == 0) {
			return false
		}
	}
	return true
}

// isInterfaceName tells if s is namespace:package/interface, with a version or without.
func isInterfaceName(s string) bool {
	s, version, versioned := strings.Cut(s, "@")
	namespace, rest, ok := strings.Cut(s, ":")
	pack, iface, ok2 := strings.Cut(rest, "/")
	return ok && ok2 && isWords(namespace) && isWords(pack) && isLabel(iface) &&
		(!versioned || isSemver(version))
}

// isSemver tells if s is a version by Semantic Versioning 2.0.
func isSemver(s string) bool {
	s, build, built := strings.Cut(s, "+")
	core, pre, early := strings.Cut(s, "-")
	numbers := strings.Split(core, ".")
	if len(numbers) != 3 || built && !isIdentifiers(build, false) ||
		early && !isIdentifiers(pre, true) {
		return false
	}
	for _, n := range numbers {
		if !isNumber(n) {
			return false
		}
	}
	return true
}

// isNumber tells if s is decimal without leading zeros.
func isNumber(s string) bool {
	return isDigits(s) && (s == "0" || s[0] != '0')
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// isIdentifiers tells if s is identifiers with dots between. Of a pre-release, numbers among them
// have no leading zeros.
func isIdentifiers(s string, pre bool) bool {
	for _, id := range strings.Split(s, ".") {
		for i := range len(id) {
			if !isFragment(id[i:i+1], false, 'a') && !isFragment(id[i:i+1], false, 'A') &&
				id[i] != '-' {
				return false
			}
		}
		if id == "" || pre && isDigits(id) && !isNumber(id) {
			return false
		}
	}
	return true
}

// canonicalName is what must be unique among the names of a scope.
func canonicalName(s string) string {
	s = strings.ToLower(strings.ReplaceAll(s, "-", ""))
	for _, note := range []string{"[method]", "[static]"} {
		rest, ok := strings.CutPrefix(s, note)
		if !ok {
			continue
		}
		if resource, member, _ := strings.Cut(rest, "."); resource == member {
			return resource
		}
		return rest
	}
	return s
}

// nameSet holds the names of a scope. The zero nameSet is empty.
type nameSet map[string]string

// add refuses a name that some language could not tell from one before.
func (s nameSet) add(name string) error {
	canonical := canonicalName(name)
	if before, ok := s[canonical]; ok {
		return fmt.Errorf("name %q conflicts with %q", name, before)
	}
	s[canonical] = name
	return nil
}

// checkLabels refuses labels of a type that are not in kebab case, or not unique.
func checkLabels(labels []string) error {
	seen := make(nameSet, len(labels))
	for _, l := range labels {
		if !isLabel(l) {
			return fmt.Errorf("%q is not in kebab case (a-name)", l)
		}
		if err := seen.add(l); err != nil {
			return err
		}
	}
	return nil
}
