package store

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hpmq/hpmq/host/journal"
	"github.com/hpmq/hpmq/lite/broker"
)

// slowFile says when it is asked to sync, and waits until it may, once it has a gate.
type slowFile struct {
	*os.File
	gate chan chan struct{}
}

func (f slowFile) Sync() error {
	select {
	case open := <-f.gate:
		open <- struct{}{} // here
		<-open
	default:
	}
	return f.File.Sync()
}

// What a session reads that comes back does not wait for the device with what others write; what
// concerns it does.
func TestReadsDoNotWaitForTheDevice(t *testing.T) {
	c := diskConfig(t)
	c.Readers = 1 // in the order in which they are asked for
	gate := make(chan chan struct{}, 1)
	c.Create = func(path string) (journal.File, error) {
		f, err := os.Create(filepath.Clean(path))
		return slowFile{f, gate}, err
	}
	k := openDisk(t, c)
	k.write(push(1, 1, "a"), push(2, 1, "b"), push(3, 1, "c"), push(3, 2, "d"))
	open := make(chan struct{})
	gate <- open
	last := k.ask(broker.Batch{Ops: []broker.Op{push(1, 2, "e")}})
	<-open
	k.view.Write(0, &broker.Batch{Ops: []broker.Op{seqOp(broker.OpPop, 3, 1)}})
	read := func(num uint32, from uint64, whole bool) broker.Token {
		k.token++
		k.view.Read(k.token, broker.Query{
			Num: num, From: from, Whole: whole, Max: 9, BytesMax: 99,
		}, nil)
		return k.token
	}
	late := []broker.Token{read(1, 1, false), read(3, 1, false), read(3, 2, true)}
	k.want(broker.Query{Num: 2}, "push 1 +b")
	k.want(broker.Query{Num: 3, From: 2}, "push 2 +d")
	k.mu.Lock()
	for _, token := range late {
		if recs, early := k.read[token]; early {
			t.Errorf("read %d was answered before the write it must see: %s", token, words(recs))
		}
	}
	k.mu.Unlock()
	open <- struct{}{}
	if err := k.wait(last); err != nil {
		t.Fatal(err)
	}
	k.want(broker.Query{Num: 1}, "push 1 +a, push 2 +e")
	k.want(broker.Query{Num: 3}, "push 2 +d")
}
