package mqtt

import (
	"testing"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
)

// Every statement that binds a server is judged by a case, or says why it cannot be.
func TestEveryStatementIsJudged(t *testing.T) {
	cases := Cases()
	if err := suite.Check(cases); err != nil {
		t.Fatal(err)
	}
	all, err := Statements(cases)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		switch {
		case s.Judged() && len(s.Cases) == 0 && s.Unobservable == "":
			t.Errorf("%s has no case: %s", s.ID, s.Text)
		case len(s.Cases) > 0 && s.Unobservable != "":
			t.Errorf("%s has case %s, and a reason why it cannot have one", s.ID, s.Cases[0])
		}
	}
}
