package link

import "testing"

// TestACommitFallsBetweenTwoMessages, and so does the way back: all roles of all listeners of a
// plan change while the loops stand, so that no message is asked of two versions.
func TestACommitFallsBetweenTwoMessages(t *testing.T) {
	h, main, other := twoListeners(t)
	halts := 0
	crossing := func(before, after string) {
		h.loops.around = func(f func()) {
			halts++
			if got := h.state(main, other); got != before {
				t.Errorf("changed while loops run: %s", got)
			}
			f()
			if got := h.state(main, other); got != after {
				t.Errorf("loops go on with %s", got)
			}
		}
	}
	p := h.prepare("p", everywhere()...)
	crossing(stateBefore, stateAfter)
	all := h.commit(p)
	if halts != 1 {
		t.Errorf("the loops stood %d times for a commit of two listeners", halts)
	}
	for _, r := range all {
		if r.Commit <= 0 {
			t.Errorf("%s %s: nobody knows how long they stood", r.Listener, r.Role)
		}
	}
	crossing(stateAfter, stateBefore)
	if _, err := p.Revert(); err != nil || halts != 2 {
		t.Error(err, halts)
	}
	h.loops.around = func(func()) { t.Error("the loops stand for who serves nobody yet") }
	h.other("third", Spec{RoleTransformer: {ref("transformer", "")}})
}

// TestBusyLoopsKeepNobodyFromACure: a change that hands nothing over does not need them to stand.
func TestBusyLoopsKeepNobodyFromACure(t *testing.T) {
	h, main, other := twoListeners(t)
	h.loops.busy = true
	p := h.prepare("p", everywhere()...)
	h.commit(p)
	got := h.state(main, other)
	if got != stateAfter || !h.logged("beside messages that are under way") {
		t.Errorf("%s; log:\n%s", got, h.log)
	}
	if _, err := p.Revert(); err != nil || h.state(main, other) != stateBefore {
		t.Error(err)
	}
}
