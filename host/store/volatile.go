package store

import (
	"errors"
	"strings"

	"github.com/hpmq/hpmq/lite/broker"
)

// What the broker says of itself below $SYS is made anew with every start, and changes all the
// time: it is kept in memory. Clients may not publish there.
const (
	sysRoot   = "$SYS"
	sysPrefix = sysRoot + "/"
)

func newSys() *Memory { return New(Config{RetainedMax: 10_000, RetainedBytesMax: 8 << 20}) }

func volatile(op *broker.Op) bool {
	return (op.Kind == broker.OpRetain || op.Kind == broker.OpUnretain) &&
		strings.HasPrefix(op.Key, sysPrefix)
}

// split gives what is volatile of b to the memory and answers the rest.
func (d *Disk) split(b *broker.Batch) broker.Batch {
	rest := *b
	for i := range b.Ops {
		if !volatile(&b.Ops[i]) {
			continue
		}
		rest.Ops = nil
		for i := range b.Ops {
			if volatile(&b.Ops[i]) {
				d.noteSys(d.sys.write(b.Ops[i : i+1]))
			} else {
				rest.Ops = append(rest.Ops, b.Ops[i])
			}
		}
		break
	}
	return rest
}

// noteSys counts what was refused; nobody waits for it.
func (d *Disk) noteSys(err error) {
	if err != nil {
		d.mu.Lock()
		d.stats.Refused++
		d.mu.Unlock()
	}
}

// findSys visits what filter matches of what is volatile, false if that cannot be any.
func (d *Disk) findSys(filter string, visit func(broker.Record)) bool {
	if filter != sysRoot && !strings.HasPrefix(filter, sysPrefix) {
		return false
	}
	for _, r := range d.sys.read(nil, filter) {
		visit(r)
	}
	return true
}

// dropSys removes what a broker before kept of it.
func (d *Disk) dropSys() error {
	var topics []string
	err := d.each(append(retainedKey(nil, sysRoot), 0), func(key, _ []byte) error {
		topics = append(topics, topicOf(key))
		return nil
	})
	for _, topic := range topics {
		d.tx.unretain(topic)
	}
	return errors.Join(err, d.tx.err)
}
