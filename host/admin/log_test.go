package admin

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/hpmq/hpmq/sdk/client"
)

func TestQuestionsToTheLogReachTheBroker(t *testing.T) {
	q := client.LogQuestion{
		Filter: "a/+&#", ClientID: "x y", Listener: "l", Outcome: "suppressed", Newest: true,
		From: time.UnixMilli(1).UTC(), To: time.UnixMilli(20).UTC(), Cursor: 9, Limit: 5,
	}
	f := &fake{}
	c, _ := serve(t, Default(), f)
	p, err := c.Log(t.Context(), q)
	if err != nil || p.Next != 7 || !p.More || p.Records == nil {
		t.Errorf("%+v, %v", p, err)
	}
	if want := []any{q}; !reflect.DeepEqual(f.asked, want) {
		t.Errorf("asked %+v, want %+v", f.asked, want)
	}
}

func TestTheLogIsFollowedLineByLine(t *testing.T) {
	f := &fake{}
	c, _ := serve(t, Default(), f)
	var got []uint64
	err := c.FollowLog(t.Context(), client.LogQuestion{Limit: 5}, func(r *client.LogRecord) bool {
		got = append(got, r.ID)
		return true
	})
	if err != nil || len(got) != 1 || got[0] != 8 {
		t.Errorf("%v, %v", got, err)
	}
	f.err = ErrBusy
	var e *client.Error
	err = c.FollowLog(t.Context(), client.LogQuestion{}, nil)
	if !errors.As(err, &e) || e.Status != 503 {
		t.Errorf("%v", err)
	}
}
