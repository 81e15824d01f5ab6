package broker

// subsIndexMin is the number of subscriptions from which on a session keeps an index of them: fewer
// are looked through, and take a fifth of the memory.
const subsIndexMin = 9

// subscriptions are those of one session, by full filter. A nil one is empty.
type subscriptions struct {
	list  []*subscription
	index map[string]*subscription // nil below subsIndexMin
}

func (x *subscriptions) len() int {
	if x == nil {
		return 0
	}
	return len(x.list)
}

// get answers the subscription to full, nil if there is none.
func (x *subscriptions) get(full string) *subscription {
	switch {
	case x == nil:
		return nil
	case x.index != nil:
		return x.index[full]
	}
	for _, sub := range x.list {
		if sub.full == full {
			return sub
		}
	}
	return nil
}

// put takes in a subscription whose filter is not there yet.
func (x *subscriptions) put(sub *subscription) {
	sub.place = int32(len(x.list))
	x.list = append(x.list, sub)
	switch {
	case x.index != nil:
		x.index[sub.full] = sub
	case len(x.list) >= subsIndexMin:
		x.index = make(map[string]*subscription, 2*subsIndexMin)
		for _, sub := range x.list {
			x.index[sub.full] = sub
		}
	}
}

// remove takes out a subscription that is there; the last takes its place.
func (x *subscriptions) remove(sub *subscription) {
	last := len(x.list) - 1
	moved := x.list[last]
	x.list[sub.place], moved.place = moved, sub.place
	x.list[last] = nil
	x.list = x.list[:last]
	if x.index == nil {
		return
	}
	delete(x.index, sub.full)
	if last < subsIndexMin/2 {
		x.index = nil
	}
}
