package app

import (
	"math"
	"time"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/cap/history"
	"github.com/hpmq/hpmq/host/cap/kv"
	"github.com/hpmq/hpmq/host/gate"
	"github.com/hpmq/hpmq/host/store"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// kernelLimits are the limits that the rules of MQTT look at.
func kernelLimits(c *configs.Limits) broker.Limits {
	l := broker.DefaultLimits()
	l.ConnectTimeout = broker.Time(c.ConnectTimeout.Std().Milliseconds())
	l.PacketBytesMax = uint32(c.PacketBytesMax)
	l.QoSMax = mqtt.QoS(c.QoSMax)
	l.RetainOff = !c.Retain
	l.WildcardOff = !c.WildcardSubscriptions
	l.SharedOff = !c.SharedSubscriptions
	l.IdentifiersOff = !c.SubscriptionIdentifiers
	l.PayloadCheck = c.PayloadCheck
	l.ClientIDStrict = c.ClientIDStrict
	l.AssignOff = !c.ClientIDAssign
	l.ReceiveMax = c.ReceiveMax
	l.InflightMax = c.InflightMax
	l.TopicAliasMax = c.TopicAliasMax
	l.TopicAliasOutMax = c.TopicAliasMax
	l.QueueMessagesMax = c.QueueMessagesMax
	l.QueueBytesMax = int(min(c.QueueBytesMax, math.MaxInt))
	l.QueuePolicy = queuePolicy(c.QueuePolicy)
	l.KeepAliveMax = uint16(seconds(c.KeepAliveMax))
	l.SessionExpiryMax = uint32(seconds(c.SessionExpiryMax))
	if c.SessionExpiryMax == configs.Never {
		l.SessionExpiryMax = broker.Never
	}
	l.SubscriptionsMax = c.SubscriptionsMax
	l.TopicLevelsMax = c.TopicLevelsMax
	l.ClientIDBytesMax = c.ClientIDBytesMax
	return l
}

// durability is what a name of configs means.
func durability(name string) broker.Durability {
	switch name {
	case configs.Interval:
		return broker.DurableInterval
	case configs.Forgetting:
		return broker.DurableMemory
	}
	return broker.DurableSync
}

// queuePolicy is what a name of configs means.
func queuePolicy(name string) broker.QueuePolicy {
	switch name {
	case configs.Oldest:
		return broker.DropOldest
	case configs.Reject:
		return broker.Reject
	}
	return broker.DropNewest
}

// share is one loop's of what all may have, 0 for no bound.
func share(all int64, loops int) int {
	n := int64(loops)
	return int(min((all+n-1)/n, math.MaxInt))
}

// seconds rounds up: a limit of half a second is not one of none.
func seconds(d configs.Duration) int64 {
	return int64((d.Std() + time.Second - 1) / time.Second)
}

// storeLimits are those of what is kept for the node.
func storeLimits(c *configs.Config) store.Config {
	return store.Config{
		RetainedMax:      c.RetainedMessagesMax,
		RetainedBytesMax: int(min(c.RetainedBytesMax, math.MaxInt)),
	}
}

// kvConfig and historyConfig are what components may have the node remember.
func kvConfig(r *configs.Remember) kv.Config {
	c := kv.Default()
	c.EntriesMax, c.BytesMax = int64(r.KVEntriesMax), int64(r.KVBytesMax)
	c.TotalEntriesMax, c.TotalBytesMax = int64(r.KVTotalEntriesMax), int64(r.KVTotalBytesMax)
	return c
}

func historyConfig(r *configs.Remember) history.Config {
	c := history.Default()
	c.EntriesMax, c.BytesMax = r.HistoryTopicsMax, int(r.HistoryBytesMax)
	c.TotalBytesMax = int64(r.HistoryTotalBytesMax)
	return c
}

// diskConfig is how the store in dir is told to be.
func diskConfig(c *configs.Config, dir string) store.DiskConfig {
	d := store.ForMemory(int64(c.Store.Memory))
	d.Dir = dir
	d.RetainedMax = int64(c.RetainedMessagesMax)
	d.RetainedBytesMax = int64(c.RetainedBytesMax)
	d.Interval = c.Store.Interval.Std()
	// What the configuration leaves as it is follows from the memory.
	usual := configs.Default().Store
	if c.Store.PendingBytesMax != usual.PendingBytesMax {
		d.PendingBytesMax = int64(c.Store.PendingBytesMax)
	}
	if c.Store.FreeBytesMin != usual.FreeBytesMin {
		d.FreeBytesMin = int64(c.Store.FreeBytesMin)
	}
	return d
}

// sessionsMax is how many sessions the node may have: what is configured, or what store.memory has
// room for. A session that is away takes up to 1.5 KB of it.
func sessionsMax(c *configs.Config) int {
	switch n := c.SessionsMax; {
	case n != configs.Default().SessionsMax || c.DataDir == configs.Memory:
		return n
	case c.Store.Memory <= 96*configs.MiB:
		return 10_000
	case c.Store.Memory <= 256*configs.MiB:
		return 50_000
	default:
		return n
	}
}

// socketLimits are the limits that the sockets look at.
func socketLimits(c *configs.Limits) gate.Limits {
	l := gate.DefaultLimits()
	l.ConnectionsMax = c.ConnectionsMax
	l.PacketBytesMax = uint32(c.PacketBytesMax)
	l.PacketTimeout = c.PacketTimeout.Std()
	l.OutBytesMax = int(c.OutboundBytesMax)
	// One packet, however large, comes on top: acknowledgements and pings of a peer that reads
	// nothing fill this. In 64 bits, for an int may have 32.
	l.OutCutBytesMax = int(min(4*int64(c.OutboundBytesMax), math.MaxInt))
	l.Rates = gate.Rates{
		ConnectsPerSecond:           c.ConnectsPerSecond,
		MessagesInPerSecond:         c.MessagesInPerSecond,
		BytesInPerSecond:            int(c.BytesInPerSecond),
		MessagesOutPerSecond:        c.MessagesOutPerSecond,
		BytesOutPerSecond:           int(c.BytesOutPerSecond),
		ListenerMessagesInPerSecond: c.ListenerMessagesInPerSecond,
		ListenerBytesInPerSecond:    int(c.ListenerBytesInPerSecond),
	}
	return l
}
