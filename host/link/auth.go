package link

import (
	"encoding/binary"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/hpmq/hpmq/host/cap/publish"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// authenticator is broker.Authenticator for one listener on one loop.
type authenticator struct {
	ls     *listener
	answer func(broker.Token, broker.Grant)
}

// Authenticate hands the question to a worker, unless nobody has to be asked or too many wait. The
// steps of one exchange may meet different guests, so what an authenticator remembers of it is in
// kv; each step asks the chain from its start, and who is not meant says next.
func (a *authenticator) Authenticate(t broker.Token, c *broker.Credentials) (broker.Grant, bool) {
	switch table := a.ls.answering(&c.Identity); {
	case !table.linked:
		return broker.Grant{Reason: mqtt.ServerUnavailable}, true
	case strings.HasPrefix(c.Identity.ClientID, publish.From("")):
		// A client by the name of a component would go round what that component is asked.
		return broker.Grant{Reason: mqtt.ClientIdentifierNotValid}, true
	case table.chains[RoleAuthenticator] == nil:
		return unasked(c), true
	}
	job := authJob{token: t, who: *c, asked: time.Now(), answer: a.answer}
	job.who.Password = append([]byte(nil), c.Password...)
	job.who.Data = append([]byte(nil), c.Data...)
	p := a.ls.workers()
	if p == nil {
		return broker.Grant{Reason: mqtt.ServerUnavailable}, true
	}
	if !p.put(job) {
		return broker.Grant{Reason: mqtt.ServerBusy}, true
	}
	return broker.Grant{}, false
}

// unasked is the answer for a listener without authenticators.
func unasked(c *broker.Credentials) broker.Grant {
	if c.Method != "" {
		return broker.Grant{Reason: mqtt.BadAuthenticationMethod} // [MQTT-4.12.0-1]
	}
	return broker.Grant{Reason: mqtt.Success}
}

// authJob is one question on its way to a worker.
type authJob struct {
	token  broker.Token
	who    broker.Credentials
	asked  time.Time
	answer func(broker.Token, broker.Grant)
}

// authPool is the workers of a listener. Each has a seat of its own in every authenticator.
type authPool struct {
	ls   *listener
	mu   sync.RWMutex // held for writing by stop, so that nothing is put behind it
	done bool
	jobs chan authJob
}

// workers answers the pool of the listener, started with the first question; nil after authStop if
// there was none.
func (ls *listener) workers() *authPool {
	ls.authOnce.Do(func() {
		cfg := &ls.linker.cfg
		p := &authPool{ls: ls, jobs: make(chan authJob, cfg.AuthQueueMax)}
		ls.linker.drains.Add(cfg.AuthWorkers)
		for i := range cfg.AuthWorkers {
			go p.work(i)
		}
		ls.auth.Store(p)
	})
	return ls.auth.Load()
}

// authStop ends the workers when they have answered what waits; new questions are refused.
func (ls *listener) authStop() {
	ls.authOnce.Do(func() {}) // none is started any more
	p := ls.auth.Load()
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.done {
		p.done = true
		close(p.jobs)
	}
}

func (p *authPool) put(j authJob) bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.done {
		return false
	}
	select {
	case p.jobs <- j:
		return true
	default:
		return false
	}
}

// work answers each question once.
func (p *authPool) work(seat int) {
	defer p.ls.linker.drains.Done()
	var j authJob // one for all: the ways of asking borrow it
	for j = range p.jobs {
		g := broker.Grant{Reason: mqtt.ServerBusy}
		if time.Since(j.asked) < p.ls.linker.cfg.AuthTimeout {
			g = p.judge(seat, &j.who)
		}
		j.answer(j.token, g)
	}
}

// judge asks the chain of now. Two swaps may have ended one of its guests since it was read: then
// the chain there is by now is asked, from its start. It ends: each time costs two swaps.
func (p *authPool) judge(seat int, who *broker.Credentials) broker.Grant {
	for {
		t := p.ls.answering(&who.Identity)
		if g, ok := p.ask(t, seat, who); ok || p.ls.answering(&who.Identity) == t {
			return g
		}
	}
}

// ask asks the chain of t; its end denies. False: a guest of it is no more, for t is old.
func (p *authPool) ask(t *table, seat int, who *broker.Credentials) (broker.Grant, bool) {
	c := t.chains[RoleAuthenticator]
	switch {
	case !t.linked:
		return broker.Grant{Reason: mqtt.ServerUnavailable}, true
	case c == nil:
		return unasked(who), true
	}
	end := unasked(who) // of a chain whose entries are all open and faulty
	for _, e := range c.entries {
		v, err := e.authenticate(seat, who)
		switch {
		case errors.Is(err, errClosedEntry):
			return broker.Grant{Reason: mqtt.ServerUnavailable}, false
		case err == nil && v.kind == verdictNext:
			end = broker.Grant{Reason: mqtt.NotAuthorized}
		case err == nil:
			return v.grant, true
		case e.onFault == FaultClosed:
			return broker.Grant{Reason: mqtt.ServerUnavailable}, true
		}
	}
	return end, true
}

// authVerdict is the WIT variant verdict: its case, what becomes of the client, and what a deny
// said.
type authVerdict struct {
	kind   uint8
	grant  broker.Grant
	reason mqtt.ReasonCode
	text   string
}

// The cases of verdict.
const verdictAllow, verdictDeny, verdictChallenge, verdictNext = 0, 1, 2, 3

// authenticate asks the guest of e in that seat.
func (e *entry) authenticate(seat int, who *broker.Credentials) (authVerdict, error) {
	e.use.RLock()
	defer e.use.RUnlock()
	if e.gone() {
		return authVerdict{}, errClosedEntry
	}
	s := &e.seats[seat]
	in := s.take(e.linker.ports.Now())
	if in == nil {
		return authVerdict{}, errNoGuest
	}
	v, err := e.speaks.role.ask.authenticate(in, who)
	s.end(in)
	if err == nil && v.kind == verdictDeny {
		s.refused.Add(1)
	}
	switch {
	case err != nil:
		e.fault(seat, in, err, about{client: who.Identity.ClientID})
	case v.text != "":
		in.GuestLog("INFO", "refused "+who.Identity.ClientID+": "+v.text)
	}
	return v, err
}

// credentialsSize is that of the WIT record credentials, which is passed in memory: 20 flat values
// are more than parameters may be.
const credentialsSize = 80

// authenticate calls the export and lifts the verdict.
func (in *instance) authenticate(who *broker.Credentials) (authVerdict, error) {
	in.begin(0)
	ptr, err := in.present(who)
	if err != nil {
		return authVerdict{}, err
	}
	v, err := in.verdict(ptr, who)
	if err != nil {
		return authVerdict{}, err
	}
	return v, in.post(ptr)
}

// present passes the WIT record credentials and answers where the verdict is.
func (in *instance) present(who *broker.Credentials) (verdict uint32, err error) {
	rec := &in.record
	clear(rec[:])
	in.putText(0, who.Identity.ClientID)
	if who.HasUsername {
		rec[8] = 1
		in.putText(12, who.Identity.Username)
	}
	if who.HasPassword {
		rec[20] = 1
		in.putData(24, who.Password)
	}
	in.putText(32, who.Identity.Address)
	in.putText(40, who.Identity.Listener)
	rec[48] = byte(who.Identity.Version)
	in.putText(52, who.CertificateSubject)
	in.putText(60, who.Method)
	in.putData(68, who.Data)
	binary.LittleEndian.PutUint32(rec[76:], who.Step)
	in.passRecord(len(rec))
	return in.call()
}

// verdict lifts what authenticate answered.
func (in *instance) verdict(ptr uint32, who *broker.Credentials) (authVerdict, error) {
	area, err := in.area(ptr, 32, 4)
	if err != nil {
		return authVerdict{}, err
	}
	v := authVerdict{kind: area[0]}
	switch body := area[4:]; v.kind {
	case verdictAllow:
		v.grant, err = in.grant(body)
	case verdictDeny:
		if body[0] < 0x80 {
			return v, garbage("refusal with reason code %#x", body[0])
		}
		text, err := in.text(body[4:], ownErrorMax)
		if err != nil {
			return v, err
		}
		v.reason, v.text = mqtt.ReasonCode(body[0]), string(text)
		v.grant.Reason = refusal(v.reason)
	case verdictChallenge:
		if who.Method == "" || who.Identity.Version != mqtt.V5 {
			return v, garbage("a challenge to a client without a method")
		}
		v.grant.Reason = mqtt.ContinueAuthentication
		v.grant.Data, err = in.liftData(body)
	case verdictNext:
	default:
		err = garbage("verdict %d", v.kind)
	}
	return v, err
}

// grant lifts the WIT record grant.
func (in *instance) grant(b []byte) (g broker.Grant, err error) {
	username, err := in.text(b, stringBytesMax)
	if err != nil {
		return g, err
	}
	tenant, err := in.text(b[8:], stringBytesMax)
	if err != nil {
		return g, err
	}
	g = broker.Grant{
		Reason: mqtt.Success, Username: string(username), Tenant: string(tenant),
		ExpiresIn: binary.LittleEndian.Uint32(b[16:]),
	}
	g.Data, err = in.liftData(b[20:])
	return g, err
}

// stringBytesMax is what a string or binary of MQTT can hold [MQTT-1.5.4].
const stringBytesMax = 65535

// liftData lifts Authentication Data as a copy, nil if empty.
func (in *instance) liftData(b []byte) ([]byte, error) {
	view, err := in.bytes(b)
	if err != nil {
		return nil, err
	}
	if len(view) > stringBytesMax {
		return nil, garbage("authentication data of %d bytes", len(view))
	}
	return append([]byte(nil), view...), nil
}

// refusal is the reason as CONNACK may carry it; another becomes not authorized.
func refusal(r mqtt.ReasonCode) mqtt.ReasonCode {
	switch r {
	case mqtt.UnspecifiedError, mqtt.ImplementationSpecificError, mqtt.ClientIdentifierNotValid,
		mqtt.BadUserNameOrPassword, mqtt.NotAuthorized, mqtt.ServerUnavailable, mqtt.ServerBusy,
		mqtt.Banned, mqtt.BadAuthenticationMethod, mqtt.QuotaExceeded, mqtt.ConnectionRateExceeded,
		mqtt.UseAnotherServer, mqtt.ServerMoved:
		return r
	}
	return mqtt.NotAuthorized
}
