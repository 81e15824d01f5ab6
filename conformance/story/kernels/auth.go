package kernels

import (
	"errors"
	"fmt"
	"slices"

	"github.com/hpmq/hpmq/conformance/story"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// auth is the broker.Authenticator of a story. It knows users (given auth=users, allow NAME
// PASSWORD) or says what it was asked and waits for the script (given auth=asked, answer CLIENT
// REASON data=TEXT).
type auth struct {
	w         *World
	asked     bool
	users     map[string]string
	questions []authQuestion
}

type authQuestion struct {
	client string
	kernel *broker.Kernel
	token  broker.Token
}

// Authenticate implements broker.Authenticator.
func (a *auth) Authenticate(t broker.Token, c *broker.Credentials) (broker.Grant, bool) {
	if !a.asked {
		want, known := a.users[c.Identity.Username]
		if c.HasUsername && known && want == string(c.Password) {
			return broker.Grant{}, true
		}
		return broker.Grant{Reason: mqtt.BadUserNameOrPassword}, true
	}
	note := fmt.Sprintf("asks %s step=%d", c.Identity.ClientID, c.Step)
	if c.HasUsername {
		note += fmt.Sprintf(" username=%q", c.Identity.Username)
	}
	if c.HasPassword {
		note += fmt.Sprintf(" password=%q", c.Password)
	}
	if c.Method != "" {
		note += fmt.Sprintf(" method=%q data=%q", c.Method, c.Data)
	}
	a.w.events = append(a.w.events, story.Event{Conn: "auth", Note: note})
	a.questions = append(a.questions, authQuestion{c.Identity.ClientID, a.w.asking, t})
	return broker.Grant{}, false
}

func (w *World) allow(c *story.Command) error {
	name, err1 := c.Pos(0)
	password, err2 := c.Pos(1)
	if w.auth == nil {
		return errors.New("no auth=users was given")
	}
	w.auth.users[name] = password
	return errors.Join(err1, err2)
}

// answer answers the oldest question about a client.
func (w *World) answer(c *story.Command) error {
	client, err := c.Pos(0)
	if err != nil || w.auth == nil {
		return errors.Join(err, errors.New("nobody was asked"))
	}
	r, err := reason(c, 1)
	if err != nil {
		return err
	}
	expires, err := c.Number("expires", 0)
	if err != nil {
		return err
	}
	g := broker.Grant{Reason: r, ExpiresIn: uint32(expires)}
	g.Username, _ = c.Get("username")
	if data, ok := c.Get("data"); ok {
		g.Data = []byte(data)
	}
	i := slices.IndexFunc(w.auth.questions, func(q authQuestion) bool { return q.client == client })
	if i < 0 {
		return fmt.Errorf("nobody asked about %s", client)
	}
	q := w.auth.questions[i]
	w.auth.questions = slices.Delete(w.auth.questions, i, i+1)
	q.kernel.Authenticated(w.now, q.token, g)
	return nil
}
