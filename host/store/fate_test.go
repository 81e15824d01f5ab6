package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/hpmq/hpmq/host/journal"
	"github.com/hpmq/hpmq/lite/broker"
)

// verdicts is what a settler was told.
type verdicts struct {
	mu   sync.Mutex
	list string
}

func (v *verdicts) settle(n *Note, kept bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.list += fmt.Sprintf(" %s=%s:%v", n.Key, n.Value, kept)
}

func (v *verdicts) want(t *testing.T, want string) {
	t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.list != want {
		t.Errorf("settled%s, want%s", v.list, want)
	}
	v.list = ""
}

// judged is a store with a journal that can be broken, and a settler.
func judged(t *testing.T, change func(*DiskConfig)) (*desktop, *flaky, *verdicts) {
	c, bad, v := still(t), &flaky{}, &verdicts{}
	c.Create = func(path string) (journal.File, error) {
		f, err := os.Create(filepath.Clean(path))
		return brokenFile{f, bad}, err
	}
	if change != nil {
		change(&c)
	}
	k := openDisk(t, c)
	k.disk.Settle(v.settle)
	return k, bad, v
}

// publish is a PUBLISH that was judged with those notes.
func (k *desktop) publish(b broker.Batch, notes ...*Note) (broker.Token, *Fate) {
	var f *Fate
	k.view.Judging(true)
	for _, n := range notes {
		f = k.view.Note(n)
	}
	t := k.ask(b)
	k.view.Judging(false)
	return t, f
}

// What was noted for a message goes with it: it is not owed, and never comes to the device.
func TestNotesOfARefusedMessageAreTakenBack(t *testing.T) {
	k, bad, v := judged(t, nil)
	one := broker.Batch{Ops: []broker.Op{push(1, 1, "m")}}
	for i, fault := range [][2]bool{{true, false}, {false, true}} {
		k.view.Note(setKey("a", fmt.Sprint("old", i)))
		k.write()
		bad.set(fault[0], fault[1])
		k.view.Note(setKey("owed", fmt.Sprint(i)))
		token, _ := k.publish(one, setKey("a", "new"), setKey("b", "new"), setKey("owed", "new"))
		if err := k.wait(token); !errors.Is(err, errDevice) {
			t.Fatal(err)
		}
		v.want(t, " a=new:false b=new:false owed=new:false")
		bad.set(false, false)
		k.write()
		k.wantNotes(fmt.Sprintf("c/a=old%d c/owed=%d", i, i))
		if n := len(k.disk.book.owed); n != 0 {
			t.Errorf("%d notes are owed", n)
		}
		k.kill()
		k.again()
		k.disk.Settle(v.settle)
		k.wantNotes(fmt.Sprintf("c/a=old%d c/owed=%d", i, i))
	}
	token, _ := k.publish(one, setKey("a", "new"))
	if err := k.wait(token); err != nil {
		t.Fatal(err)
	}
	v.want(t, " a=new:true")
	k.wantNotes("c/a=new c/owed=1")
}

// A limit of the store refuses as a device does.
func TestNotesOfAMessageAboveALimitAreTakenBack(t *testing.T) {
	k, _, v := judged(t, func(c *DiskConfig) { c.RetainedMax = 0 })
	b := broker.Batch{Ops: []broker.Op{retain("r", "1", 0)}}
	token, _ := k.publish(b, setKey("a", "1"))
	if err := k.wait(token); !errors.Is(err, ErrFull) {
		t.Fatal(err)
	}
	v.want(t, " a=1:false")
	k.wantNotes("")
}

// Of a message that is not waited for, or that needs no write, the notes stay.
func TestNotesThatStay(t *testing.T) {
	k, bad, v := judged(t, nil)
	bad.set(true, false)
	k.view.Judging(true)
	k.view.Note(setKey("a", "1"))
	k.view.Judging(false)
	v.want(t, " a=1:true")
	if err := k.wait(k.ask(broker.Batch{})); !errors.Is(err, errDevice) {
		t.Fatal(err)
	}
	bad.set(false, false)
	k.write()
	k.wantNotes("c/a=1")
	v.want(t, "")
}

// wantHeld checks that nothing in the line may be taken.
func (k *desktop) wantHeld() {
	k.t.Helper()
	l := k.disk.line
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.items) == 0 || l.whole != 0 {
		k.t.Errorf("%d wait, %d may be taken without what they rest on", len(l.items), l.whole)
	}
}

// What was judged by a note that is taken back is refused with it, on whatever loop it came and
// in whatever order the writes do.
func TestWhatRestsOnARefusedMessageIsRefused(t *testing.T) {
	k, _, v := judged(t, func(c *DiskConfig) { c.RetainedMax = 0 })
	other := newDesktop(t, k.disk)
	for _, late := range []bool{false, true} {
		for _, refused := range []bool{false, true} {
			b := broker.Batch{}
			if refused {
				b.Ops = []broker.Op{retain("r", "1", 0)}
			}
			k.view.Judging(true)
			fate := k.view.Note(setKey("a", "1"))
			token := broker.Token(0)
			if !late {
				token = k.ask(b)
			}
			other.view.Judging(true)
			other.view.Saw(fate)
			if !other.view.Noted() {
				t.Error("nothing is waited for")
			}
			rests := other.ask(broker.Batch{})
			other.view.Judging(false)
			if late {
				k.wantHeld()
				token = k.ask(b)
			}
			k.view.Judging(false)
			first, second := k.wait(token), other.wait(rests)
			if (first != nil) != refused || errors.Is(second, ErrRests) != refused {
				t.Errorf("late %v: %v, %v", late, first, second)
			}
			v.want(t, fmt.Sprintf(" a=1:%v", !refused))
		}
	}
	// What is known to be refused is so for who saw it just before.
	token, fate := k.publish(broker.Batch{Ops: []broker.Op{retain("r", "1", 0)}}, setKey("a", "1"))
	_ = k.wait(token)
	k.view.Judging(true)
	k.view.Saw(fate)
	if err := k.wait(k.ask(broker.Batch{})); !errors.Is(err, ErrRests) {
		t.Error(err)
	}
}
