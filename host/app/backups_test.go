package app

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/host/backup"
	"github.com/hpmq/hpmq/sdk/client"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// A backup is made while clients publish at QoS 1; a broker on what is restored of it has all that
// was acknowledged before, in order.
func TestBackupUnderLoad(t *testing.T) {
	cfg := diskNode(t.TempDir())
	a := open(t, cfg)
	at := address(t, a, "l")
	sub, _ := keep(t, at, "device")
	list := []mqtt.Subscription{{Filter: []byte("t/#"), QoS: mqtt.AtLeastOnce}}
	sub.send(mqtt.AppendSubscribe(nil, mqtt.V5, 1, nil, list))
	if got := mqtt.TypeOf(sub.next()); got != mqtt.SUBACK {
		t.Fatal(got)
	}
	_ = sub.conn.Close()
	pub, sent := dial(t, at, "pub"), 0
	store := func(n int) {
		for range n {
			pub.store("t/x", fmt.Sprint(sent), uint16(sent%1000+1))
			sent++
		}
	}
	store(50)
	acknowledged := sent
	made := make(chan error, 1)
	go func() {
		_, err := ask(t, a).Backup(t.Context(), client.NewBackup{Name: "now"})
		made <- err
	}()
	for busy := true; busy; {
		store(5)
		select {
		case err := <-made:
			busy = false
			if err != nil {
				t.Fatal(err)
			}
		default:
		}
	}
	v, err := ask(t, a).VerifyBackup(t.Context(), "now")
	if err != nil || v.Queued < acknowledged || v.Queued > sent {
		t.Fatalf("%d of %d to %d, %v", v.Queued, acknowledged, sent, err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	other := diskNode(t.TempDir())
	dir := filepath.Join(cfg.DataDir, backup.Folder, "now")
	if _, _, err := backup.Restore(dir, other.DataDir, nil); err != nil {
		t.Fatal(err)
	}
	restored := open(t, other)
	sub, present := keep(t, address(t, restored, "l"), "device")
	if !present {
		t.Fatal("the session is gone")
	}
	for i := range v.Queued {
		wantNext(t, sub, i)
	}
}

// wantNext takes the next message and acknowledges it.
func wantNext(t *testing.T, p *peer, i int) {
	t.Helper()
	var m mqtt.Publish
	if err := m.Decode(mqtt.V5, p.next()); err != nil || string(m.Payload) != fmt.Sprint(i) {
		t.Fatalf("got %s, %v, want %d", m.Payload, err, i)
	}
	ack := mqtt.Ack{Type: mqtt.PUBACK, PacketID: m.PacketID}
	p.send(ack.Append(nil, mqtt.V5))
}

// What cannot be is refused in the words of the API.
func TestBackupsAreRefused(t *testing.T) {
	cfg := diskNode(t.TempDir())
	cfg.Store.BackupsMax = 1
	c, ctx := ask(t, open(t, cfg)), t.Context()
	if _, err := c.Backup(ctx, client.NewBackup{Name: "a"}); err != nil {
		t.Fatal(err)
	}
	_, err := c.Backup(ctx, client.NewBackup{Name: "b"})
	refused(t, err, 409)
	_, err = c.Backup(ctx, client.NewBackup{Name: "../b"})
	refused(t, err, 422)
	_, err = c.VerifyBackup(ctx, "b")
	refused(t, err, 404)
	refused(t, c.DeleteBackup(ctx, "b"), 404)
	if err := c.DeleteBackup(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	memory := testConfig("l")
	_, err = ask(t, open(t, memory)).Backups(ctx)
	refused(t, err, 409)
	if err == nil || !strings.Contains(err.Error(), "memory") {
		t.Errorf("says %v", err)
	}
}
