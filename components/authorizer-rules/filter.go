package rules

import (
	"strings"

	guest "github.com/hpmq/hpmq/sdk/guest/go"
)

// filter is a topic filter of a rule, cut into levels.
type filter struct {
	levels []level
}

// level is one level of a filter: a wildcard, or parts that make the literal text of the level.
type level struct {
	wildcard byte // '+', '#' or 0
	parts    []part
}

// part is literal text, or with verb set what the identity has for it.
type part struct {
	verb byte // 'c' client id, 'u' username, 't' tenant, 'l' listener
	text string
}

// covers reports whether the filter matches all that topic, a name or a filter, matches.
//
// What stands in place of %c and the others is compared as text, within one level: a client id with
// '/' fits no level, and a level that is a wildcard in the subscription is covered by a wildcard
// only, so no client can widen a rule by the name it takes.
func (f *filter) covers(who *guest.Identity, topic string) bool {
	if f.leadingWildcard() && strings.HasPrefix(topic, "$") {
		return false // [MQTT-4.7.2-1]
	}
	more := true
	for i := range f.levels {
		l := &f.levels[i]
		if l.wildcard == '#' {
			return true
		}
		if !more {
			return false
		}
		var have string
		have, topic, more = strings.Cut(topic, "/")
		if have == "#" || !l.covers(who, have) {
			return false
		}
	}
	return !more
}

func (l *level) covers(who *guest.Identity, have string) bool {
	if l.wildcard == '+' {
		return true
	}
	return have != "+" && l.equals(who, have)
}

// meets reports whether some topic is matched by the filter and by want, a filter too.
func (f *filter) meets(who *guest.Identity, want string) bool {
	if f.leadingWildcard() && strings.HasPrefix(want, "$") {
		return false // [MQTT-4.7.2-1]
	}
	more := true
	for i := range f.levels {
		l := &f.levels[i]
		if l.wildcard == '#' {
			return true
		}
		if !more {
			return false
		}
		var have string
		have, want, more = strings.Cut(want, "/")
		wild := have == "#" || have == "+"
		if wild && i == 0 && l.startsDollar() {
			return false // [MQTT-4.7.2-1]
		}
		if have == "#" {
			return true
		}
		if !wild && l.wildcard != '+' && !l.equals(who, have) {
			return false
		}
	}
	return !more || want == "#"
}

// equals reports whether have is the text of the level. A value that is empty stands for nobody, so
// that a client without a username has no part of "users/%u".
func (l *level) equals(who *guest.Identity, have string) bool {
	for _, p := range l.parts {
		text := p.text
		if p.verb != 0 {
			if text = value(who, p.verb); text == "" {
				return false
			}
		}
		var ok bool
		if have, ok = strings.CutPrefix(have, text); !ok {
			return false
		}
	}
	return have == ""
}

func value(who *guest.Identity, verb byte) string {
	switch verb {
	case 'c':
		return who.ClientID
	case 'u':
		return who.Username
	case 't':
		return who.Tenant
	default:
		return who.Listener
	}
}

func (f *filter) leadingWildcard() bool { return f.levels[0].wildcard != 0 }

func (l *level) startsDollar() bool {
	return len(l.parts) > 0 && strings.HasPrefix(l.parts[0].text, "$")
}

// mqtt is the filter as the host understands it: a level with a value in it becomes "+".
func (f *filter) mqtt() string {
	var b strings.Builder
	for i, l := range f.levels {
		if i > 0 {
			b.WriteByte('/')
		}
		b.WriteString(l.mqtt())
	}
	return b.String()
}

func (l *level) mqtt() string {
	if l.wildcard != 0 {
		return string(rune(l.wildcard))
	}
	text := ""
	for _, p := range l.parts {
		if p.verb != 0 {
			return "+"
		}
		text += p.text
	}
	return text
}

// parseFilter reads s; the answer is what is wrong with it, or "".
func parseFilter(s string) (filter, string) {
	var f filter
	if s == "" {
		return f, "is empty"
	}
	texts := strings.Split(s, "/")
	for i, t := range texts {
		l, wrong := parseLevel(t)
		if l.wildcard == '#' && i < len(texts)-1 {
			wrong = "has # before the last level"
		}
		if wrong != "" {
			return f, wrong
		}
		f.levels = append(f.levels, l)
	}
	return f, ""
}

func parseLevel(t string) (level, string) {
	if t == "+" || t == "#" {
		return level{wildcard: t[0]}, ""
	}
	if strings.ContainsAny(t, "+#\x00") {
		return level{}, "has a wildcard that is not a whole level"
	}
	var l level
	for t != "" {
		text, rest, found := strings.Cut(t, "%")
		if text != "" {
			l.parts = append(l.parts, part{text: text})
		}
		if !found {
			break
		}
		if rest == "" || strings.IndexByte("cutl%", rest[0]) < 0 {
			return l, "has a % that is none of %c, %u, %t, %l, %%"
		}
		if rest[0] == '%' {
			l.parts = append(l.parts, part{text: "%"})
		} else {
			l.parts = append(l.parts, part{verb: rest[0]})
		}
		t = rest[1:]
	}
	return l, ""
}
