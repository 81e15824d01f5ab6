package policy

import "testing"

func TestTheReferenceAnswersTheCases(t *testing.T) {
	cases, err := Cases()
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) < 60 {
		t.Errorf("%d cases", len(cases))
	}
	for _, c := range cases {
		var failed string
		if err := Configure(c.Config); err != nil {
			failed = err.Error()
		}
		var verdict uint32
		var got Outcome
		switch c.Call {
		case "authorize":
			verdict = Authorize(c.Question)
		case "upstream":
			got = Upstream(c.Question)
		case "downstream":
			got = Downstream(c.Question)
		}
		if failed != c.Error || verdict != c.Verdict || !got.Equal(c.Outcome) {
			t.Errorf("%s:\n got %q %#x %.300s\nwant %q %#x %.300s", c.About,
				failed, verdict, got, c.Error, c.Verdict, c.Outcome)
		}
	}
}

func TestEachCaseSaysSomethingOfItsOwn(t *testing.T) {
	cases, err := Cases()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, c := range cases {
		if c.About == "" || seen[c.About] {
			t.Errorf("%q stands twice", c.About)
		}
		seen[c.About] = true
	}
}
