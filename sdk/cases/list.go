package cases

import (
	"encoding/json"
	"errors"
	"fmt"
)

// listed is an entry of a list of calls: a call with the fields of its identity beside the others.
type listed struct {
	Call
	Who
	Config Bytes `json:"config"`
}

// configure is the call of a list that looks at configuring alone.
const configure = "configure"

// parseList makes cases of a list. Calls without a configuration of their own that follow each
// other are asked of one instance.
func parseList(name string, text []byte) ([]Case, error) {
	var raws []json.RawMessage
	if err := json.Unmarshal(text, &raws); err != nil {
		return nil, err
	}
	if len(raws) == 0 {
		return nil, errors.New("the list is empty: there is no case in it")
	}
	var out []Case
	shared := -1 // the case of out that takes calls
	for i, raw := range raws {
		var e listed
		if err := strictly(raw, &e); err != nil {
			return nil, fmt.Errorf("entry %d: %w", i, err)
		}
		c, err := e.single(fmt.Sprintf("%s[%d]", name, i))
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", i, err)
		}
		alone := e.Function == configure || e.Config != nil
		switch {
		case alone:
			out, shared = append(out, c), -1
		case shared >= 0:
			out[shared].Calls = append(out[shared].Calls, c.Calls...)
		default:
			c.About, shared = "asked one after the other", len(out)
			out = append(out, c)
		}
	}
	return out, nil
}

// single is the case of one entry.
func (e *listed) single(name string) (Case, error) {
	c := Case{Name: name, About: e.About}
	if e.Config != nil {
		c.Config = json.RawMessage(e.Config)
	}
	if e.Function == configure {
		var answer string
		if err := json.Unmarshal(e.Answer, &answer); err != nil {
			return c, errors.New(`configure answers "ok" or an error`)
		}
		if answer != "ok" {
			c.Error = answer
		}
		return c, nil
	}
	call := e.Call
	if call.Who == nil {
		who := e.Who
		call.Who = &who
	}
	c.Calls = []Call{call}
	return c, c.check()
}
