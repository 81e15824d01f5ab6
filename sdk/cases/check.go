package cases

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// check refuses what would hold a component to nothing.
func (c *Case) check() error {
	if c.About == "" {
		return errors.New(`no "about": say in a sentence what the case shows`)
	}
	if len(c.Calls) == 0 && c.Error == "" && c.Inbound == nil && c.Outbound == nil &&
		(c.Calls != nil || c.Config == nil) {
		return errors.New(`it asks nothing: write "calls", or what configure must answer`)
	}
	for i := range c.Calls {
		if err := c.Calls[i].check(); err != nil {
			return fmt.Errorf("call %d: %w", i, err)
		}
	}
	return nil
}

func (call *Call) check() error {
	if RoleOf(call.Function) == "" {
		return fmt.Errorf("no function %q; there are %s", call.Function,
			strings.Join(Functions(), ", "))
	}
	if call.QoS > 2 {
		return fmt.Errorf("qos %d", call.QoS)
	}
	if all := Actions(call.Function); all != nil && !slices.Contains(all, call.Action) {
		return fmt.Errorf("no action %q; there are %s", call.Action, strings.Join(all, ", "))
	}
	for _, m := range call.Logged {
		if m.Fate != "" && !slices.Contains(Fates(), m.Fate) {
			return fmt.Errorf("no fate %q; there are %s", m.Fate, strings.Join(Fates(), ", "))
		}
	}
	if call.Function == "encode" && call.Event == nil {
		return errors.New(`no "event" to encode`)
	}
	if call.Published != nil {
		if err := expected("publish", call.Published); err != nil {
			return fmt.Errorf(`"published": %w`, err)
		}
	}
	switch answers := answersOf(call.Function); {
	case call.Answer == nil && answers == told:
		return nil
	case call.Answer == nil:
		return fmt.Errorf(`no "answer": %s must answer %s`, call.Function, answers)
	}
	if err := expected(call.Function, call.Answer); err != nil {
		return fmt.Errorf(`"answer" %.60s: %w`, call.Answer, err)
	}
	return nil
}

// told is what stands for the answer of a function that has none.
const told = "told"

// wordsOf are the answers of a function that are one word.
func wordsOf(function string) []string {
	switch function {
	case "authenticate":
		return []string{"allow", "deny", "next", "challenge"}
	case "authorize":
		return []string{"allow", "deny", "next"}
	case "upstream", "downstream":
		return []string{"keep", "drop", "replace"}
	case "check":
		return []string{"news", "repeated", "unchanged"}
	case "route":
		return []string{"deliver", "drop", "send"}
	case "share":
		return []string{"round-robin", "random", "sticky", "topic-hash"}
	case "on-message", "on-client", "on-stop":
		return []string{told}
	}
	return nil
}

// answersOf says what the answers of a function are.
func answersOf(function string) string {
	words := strings.Join(wordsOf(function), ", ")
	switch function {
	case "authenticate":
		return words + ", or an object with one of these"
	case "authorize":
		return words + `, or {"decision", "scope", "seconds"}`
	case "upstream", "downstream":
		return words + ", or a list of messages"
	case "publish":
		return "a list of messages"
	case "route":
		return words + `, or {"redirect", "copies", "reach"}`
	case "on-timer":
		return "a number of milliseconds"
	case "decode":
		return `{"state", "consumed", "requests", "output", "close"}`
	case "encode":
		return `{"state", "output", "wait"}`
	}
	return words
}

// expected says why an answer is none that the function can give.
func expected(function string, want json.RawMessage) error {
	var v any
	if err := json.Unmarshal(want, &v); err != nil {
		return err
	}
	word, isWord := v.(string)
	number, isNumber := v.(float64)
	wrong := fmt.Errorf("%s answers %s", function, answersOf(function))
	switch {
	case v == nil, isWord && !slices.Contains(wordsOf(function), word):
		return wrong
	case isWord:
		return nil
	case function == "on-timer":
		if !isNumber || number < 0 {
			return wrong
		}
		return nil
	case function == "check", function == "share", answersOf(function) == told:
		return wrong
	}
	if _, err := normal(function, want); err != nil {
		return fmt.Errorf("%w; %w", err, wrong)
	}
	return nil
}
