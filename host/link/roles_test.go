package link

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

func TestAuthorizer(t *testing.T) {
	h := newHouse(t, nil)
	p := h.one(RoleAuthorizer, ref("authorizer", ""))
	for topic, want := range map[string]mqtt.ReasonCode{
		"open/a": mqtt.Success, "secret/a": mqtt.NotAuthorized,
	} {
		for _, a := range []broker.Action{
			broker.ActionPublish, broker.ActionSubscribe, broker.ActionWill,
		} {
			got := p.Authorize(h.clock.now(), &device, a, []byte(topic), 1)
			if got != want {
				t.Errorf("action %d on %s: %v, want %v", a, topic, got, want)
			}
		}
	}
	if v := h.seen(RoleAuthorizer, 0); v.Calls != 6 || v.Faults != 0 {
		t.Errorf("%d calls, %d faults", v.Calls, v.Faults)
	}
}

func TestAuthorizerIsAskedOnlyAboutWhatItWants(t *testing.T) {
	h := newHouse(t, nil)
	p := h.one(RoleAuthorizer, ref("authorizer", `in=a/+; answer=135`)) // 135 is 0x87
	for _, c := range []struct {
		action broker.Action
		topic  string
		want   mqtt.ReasonCode
	}{
		{broker.ActionPublish, "a/b", mqtt.NotAuthorized},
		{broker.ActionPublish, "b/b", mqtt.Success},
		{broker.ActionSubscribe, "#", mqtt.NotAuthorized},
		{broker.ActionSubscribe, "$share/g/a/#", mqtt.NotAuthorized},
		{broker.ActionSubscribe, "b/#", mqtt.Success},
		{broker.ActionWill, "a/will", mqtt.NotAuthorized},
	} {
		got := p.Authorize(h.clock.now(), &device, c.action, []byte(c.topic), 1)
		if got != c.want {
			t.Errorf("action %d on %s: %v, want %v", c.action, c.topic, got, c.want)
		}
	}
	if v := h.seen(RoleAuthorizer, 0); v.Calls != 4 {
		t.Errorf("%d calls, want 4", v.Calls)
	}
}

// A default of deny must hold for all that a client can name.
func TestHashIsEveryTopic(t *testing.T) {
	h := newHouse(t, nil)
	p := h.one(RoleAuthorizer, ref("authorizer", `answer=135`)) // interest is "#"
	got := p.Authorize(h.clock.now(), &device, broker.ActionPublish, []byte("$SYS/x"), 0)
	if got != mqtt.NotAuthorized || h.seen(RoleAuthorizer, 0).Calls != 1 {
		t.Errorf("not asked about $SYS/x: %v", got)
	}
}

func TestAuthorizerAnswersAreRemembered(t *testing.T) {
	const topicScope, actionScope, tenSeconds = 1 << 8, 2 << 8, 10 << 10
	for _, c := range []struct {
		name  string
		how   int
		calls uint64
	}{
		{"once", 0, 6},
		{"topic", topicScope, 3}, // a, b, then a again when time has passed: no
		{"topic for 10 s", topicScope | tenSeconds, 5}, // a, b, and both again
		{"action", actionScope, 2},                     // publish, and for another client
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t, nil)
			p := h.one(RoleAuthorizer, ref("authorizer", "how="+strconv.Itoa(c.how)))
			ask := func(who *broker.Identity, topic string) {
				p.Authorize(h.clock.now(), who, broker.ActionPublish, []byte(topic), 0)
			}
			other := device
			other.ClientID = "dev2"
			ask(&device, "a")
			ask(&device, "b")
			ask(&device, "a")
			h.clock.pass(11 * time.Second)
			ask(&device, "a")
			ask(&device, "b")
			ask(&other, "a")
			if got := h.seen(RoleAuthorizer, 0).Calls; got != c.calls {
				t.Errorf("%d calls, want %d", got, c.calls)
			}
		})
	}
}

func TestRefusalsAreRememberedUntilTheNextVersion(t *testing.T) {
	h := newHouse(t, nil)
	p := h.one(RoleAuthorizer, ref("authorizer", "answer=135 how=256"))
	ask := func() mqtt.ReasonCode {
		return p.Authorize(h.clock.now(), &device, broker.ActionPublish, []byte("a"), 0)
	}
	if ask() != mqtt.NotAuthorized || ask() != mqtt.NotAuthorized {
		t.Fatal("allowed")
	}
	if n := h.seen(RoleAuthorizer, 0).Calls; n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
	h.swap(RoleAuthorizer, ref("authorizer", "answer=0"))
	if got := ask(); got != mqtt.Success {
		t.Errorf("the new version answers %v", got)
	}
}

func TestAuthorizerChain(t *testing.T) {
	next, deny, allow := "answer=1", "answer=135", "answer=0"
	for _, c := range []struct {
		chain []string
		want  mqtt.ReasonCode
	}{
		{[]string{next}, mqtt.NotAuthorized},
		{[]string{next, allow}, mqtt.Success},
		{[]string{allow, deny}, mqtt.Success},
		{[]string{next, deny, allow}, mqtt.NotAuthorized},
		{[]string{"answer=145"}, mqtt.NotAuthorized}, // 0x91 is no answer to a PUBLISH
		{nil, mqtt.Success},
	} {
		h := newHouse(t, nil)
		var spec []Ref
		for _, words := range c.chain {
			spec = append(spec, ref("authorizer", words))
		}
		h.link(Spec{RoleAuthorizer: spec})
		p := h.linker.Policy("main", 0)
		got := p.Authorize(h.clock.now(), &device, broker.ActionPublish, []byte("a"), 0)
		if got != c.want {
			t.Errorf("%v: %v, want %v", c.chain, got, c.want)
		}
	}
}

func TestDeliverIsAskedOnTheWayDown(t *testing.T) {
	h := newHouse(t, nil)
	p := h.one(RoleAuthorizer, ref("authorizer", `out=secret/#;`))
	var out []broker.Message
	down := func(topic string) broker.Verdict {
		m := message(topic, "x")
		return p.Transform(h.clock.now(), broker.Downstream, &device, m, &out)
	}
	if down("secret/a") != broker.Drop || down("open/a") != broker.Keep {
		t.Error("deliver is not asked, or asked too often")
	}
	if n := h.seen(RoleAuthorizer, 0).Calls; n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
}

func TestTransformer(t *testing.T) {
	for _, c := range []struct {
		words string
		want  broker.Verdict
		out   string
	}{
		{"", broker.Keep, ""},
		{"drop", broker.Drop, ""},
		{`tag=v1:;`, broker.Replace, "in/a=v1:x"},
		{`topic=out/b;`, broker.Replace, "out/b=x"},
		{`copies=3 tag=v1:;`, broker.Replace, "in/a=v1:x in/a=v1:x in/a=v1:x"},
		{`in=other/#; tag=v1:;`, broker.Keep, ""},
	} {
		h := newHouse(t, nil)
		p := h.one(RoleTransformer, ref("transformer", c.words))
		var out []broker.Message
		got := p.Transform(h.clock.now(), broker.Upstream, &device, message("in/a", "x"), &out)
		if got != c.want || texts(out) != c.out {
			t.Errorf("%q: verdict %d, %s", c.words, got, texts(out))
		}
		if v := h.seen(RoleTransformer, 0); v.Faults != 0 {
			t.Errorf("%q: %s", c.words, v.LastFault)
		}
	}
}

func TestTransformersAreAChain(t *testing.T) {
	h := newHouse(t, nil)
	h.link(Spec{RoleTransformer: {
		ref("transformer", `copies=2 tag=one:;`), ref("transformer", `in=no;tag=never:;`),
		ref("transformer", `tag=two:;`),
	}})
	p := h.linker.Policy("main", 0)
	var out []broker.Message
	m := message("in/a", "x")
	m.Props, m.Expire = mqtt.Props{1, 1}, 77
	got := p.Transform(h.clock.now(), broker.Upstream, &device, m, &out)
	if got != broker.Replace || texts(out) != "in/a=two:one:x in/a=two:one:x" {
		t.Fatalf("verdict %d, %s", got, texts(out))
	}
	for _, o := range out {
		if string(o.Props) != string(m.Props) || o.Expire != 77 || o.From != "dev1" || o.QoS != 1 {
			t.Errorf("lost on the way: %+v", o)
		}
	}
}

func TestDeduplicator(t *testing.T) {
	h := newHouse(t, nil)
	p := h.one(RoleDeduplicator, ref("deduplicator", ""))
	if !p.Fresh(h.clock.now(), &device, message("a", "news")) {
		t.Error("news is not fresh")
	}
	if p.Fresh(h.clock.now(), &device, message("a", "again")) {
		t.Error("a repetition is fresh")
	}
}

func TestStateOfTheHostOutlivesASwap(t *testing.T) {
	h := newHouse(t, nil)
	p := h.one(RoleDeduplicator, ref("deduplicator-kv", "window=10000"))
	fresh := func() bool { return p.Fresh(h.clock.now(), &device, message("a", "x")) }
	if !fresh() || fresh() {
		t.Fatal("the window does not work")
	}
	h.swap(RoleDeduplicator, ref("deduplicator-kv", "window=10000 v2"))
	if fresh() {
		t.Error("the window is forgotten after the swap")
	}
	h.clock.pass(11 * time.Second)
	if !fresh() {
		t.Error("the window does not end")
	}
}

func TestRouter(t *testing.T) {
	for _, c := range []struct {
		words, topic string
		want         broker.Verdict
		out          string
	}{
		{"", "a", broker.Keep, ""},
		{"", "drop/a", broker.Drop, ""},
		{`redirect=b;`, "a", broker.Replace, "b=x"},
		{`copy=c;`, "a", broker.Replace, "a=x c=x"},
		{`redirect=b; copy=c; copies=2`, "a", broker.Replace, "b=x c=x c=x"},
	} {
		h := newHouse(t, nil)
		p := h.one(RoleRouter, ref("router", c.words))
		var out []broker.Message
		got := p.Route(h.clock.now(), &device, message(c.topic, "x"), &out)
		if got != c.want || texts(out) != c.out {
			t.Errorf("%q: verdict %d, %s", c.words, got, texts(out))
		}
		if v := h.seen(RoleRouter, 0); v.Faults != 0 {
			t.Errorf("%q: %s", c.words, v.LastFault)
		}
	}
}

func TestShareIsAskedOnce(t *testing.T) {
	h := newHouse(t, nil)
	p := h.one(RoleRouter, ref("router", "strategy=2"))
	for range 3 {
		if got := p.Share("g", "a/#"); got != broker.Sticky {
			t.Fatalf("strategy %d", got)
		}
	}
	if n := h.seen(RoleRouter, 0).Calls; n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
	h.swap(RoleRouter, ref("router", "strategy=3"))
	if got := p.Share("g", "a/#"); got != broker.TopicHash {
		t.Errorf("the new version is not asked: %d", got)
	}
}

func TestHistoryIsWhatWasDelivered(t *testing.T) {
	h := newHouse(t, nil)
	p := h.one(RoleTransformer, ref("transformer-history", `in=a; history`))
	pass := func(payload string) string {
		var out []broker.Message
		m := message("a", payload)
		p.Transform(h.clock.now(), broker.Upstream, &device, m, &out)
		p.Route(h.clock.now(), &device, m, new([]broker.Message)) // delivered as it came
		return texts(out)
	}
	got := strings.Join([]string{pass("1"), pass("2"), pass("3")}, " ")
	if got != "a=none a=1 a=2" {
		t.Errorf("history: %s", got)
	}
}

func TestArgumentsInTheBlockOfTheGuest(t *testing.T) {
	h := newHouse(t, nil)
	p := h.one(RoleTransformer, ref("transformer-block", "tag=v1:;"))
	for _, n := range []int{0, 1, 100, argumentsSize - 30, argumentsSize, 10 * argumentsSize} {
		payload := strings.Repeat("x", n)
		var out []broker.Message
		p.Transform(h.clock.now(), broker.Upstream, &device, message("a", payload), &out)
		if texts(out) != "a=v1:"+payload {
			t.Errorf("%d bytes: %.80s", n, texts(out))
		}
	}
	if v := h.seen(RoleTransformer, 0); v.Faults != 0 {
		t.Error(v.LastFault)
	}
	var out []broker.Message
	p.Transform(h.clock.now(), broker.Upstream, &device, message("topic", "payload"), &out)
	in := h.guest(RoleTransformer).Env().(*instance)
	if used := in.block.used; used < len("topicpayload") {
		t.Errorf("%d bytes of the block are used", used)
	}
}
