package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hpmq/hpmq/host/backup"
	"github.com/hpmq/hpmq/sdk/client"
)

// openBackups opens the folder of backups, if there is something to back up.
func (a *App) openBackups() (err error) {
	dir := a.dataPath(backup.Folder)
	if dir == "" {
		return nil
	}
	a.backups, err = backup.Open(backup.Config{
		Dir: dir, CountMax: a.cfg.Store.BackupsMax, FreeBytesMin: int64(a.cfg.Store.FreeBytesMin),
		Program: "hpmq " + Version(),
	})
	if err != nil {
		return fmt.Errorf("app: %w", err)
	}
	return nil
}

// keeper answers who keeps backups, or why nobody does.
func (o *operator) keeper() (*backup.Keeper, error) {
	if o.backups == nil {
		return nil, fmt.Errorf("app: backups: %w: this broker keeps nothing: its data_dir is "+
			"memory", errTaken)
	}
	return o.backups, nil
}

// Backups is admin.Backups.
func (o *operator) Backups(context.Context) ([]client.Backup, error) {
	k, err := o.keeper()
	if err != nil {
		return nil, err
	}
	list, err := k.List()
	out := make([]client.Backup, len(list))
	for i := range list {
		out[i] = backupWords(&list[i])
	}
	return out, backupError(err)
}

// Backup is admin.Backups.
func (o *operator) Backup(_ context.Context, n client.NewBackup) (client.Backup, error) {
	k, err := o.keeper()
	if err != nil {
		return client.Backup{}, err
	}
	began := time.Now()
	info, err := k.Create(o.loops.disk, n.Name, began)
	if err != nil {
		return client.Backup{}, backupError(err)
	}
	out := backupWords(&info)
	out.TookMS = time.Since(began).Milliseconds()
	o.log.Info("app: backup made", "name", info.Name, "bytes", out.Bytes, "took_ms", out.TookMS)
	return out, nil
}

// VerifyBackup is admin.Backups.
func (o *operator) VerifyBackup(_ context.Context, name string) (client.Verified, error) {
	k, err := o.keeper()
	if err != nil {
		return client.Verified{}, err
	}
	info, rep, err := k.Verify(name)
	if err != nil {
		return client.Verified{}, backupError(err)
	}
	return client.Verified{
		Backup: backupWords(&info), Sessions: rep.Sessions, Queued: rep.Queued,
		QueuedBytes: rep.QueuedBytes, InFlight: rep.InFlight, Received: rep.Received,
		Retained: rep.Retained, RetainedBytes: rep.RetainedBytes,
	}, nil
}

// DeleteBackup is admin.Backups.
func (o *operator) DeleteBackup(_ context.Context, name string) error {
	k, err := o.keeper()
	if err != nil {
		return err
	}
	if err := k.Delete(name); err != nil {
		return backupError(err)
	}
	o.log.Info("app: backup deleted", "name", name)
	return nil
}

func backupWords(i *backup.Info) client.Backup {
	return client.Backup{
		Name: i.Name, Created: i.Created, Program: i.Program, Files: len(i.Files),
		Bytes: i.Bytes(), Damaged: i.Version == 0,
	}
}

// backupError adds the reason in the words of the admin API.
func backupError(err error) error {
	reason := error(nil)
	switch {
	case errors.Is(err, backup.ErrUnknown):
		reason = errUnknown
	case errors.Is(err, backup.ErrName), errors.Is(err, backup.ErrDamaged):
		reason = errRefused
	case errors.Is(err, backup.ErrExists), errors.Is(err, backup.ErrMany),
		errors.Is(err, backup.ErrSpace), errors.Is(err, backup.ErrBusy):
		reason = errTaken
	}
	if reason == nil {
		return err
	}
	return fmt.Errorf("%w: %w", err, reason)
}
