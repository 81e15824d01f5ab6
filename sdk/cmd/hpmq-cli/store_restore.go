package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/host/backup"
	"github.com/hpmq/hpmq/sdk/client"
)

func newStoreRestore(s *settings) *cobra.Command {
	var data string
	c := &cobra.Command{
		Use:   "restore BACKUP",
		Short: "Put a backup in the place of a store",
		Long: `Put a backup in the place of the store in a data folder. All of it is read first,
and the old store stays aside until the new one is in its place. BACKUP is a name in the folder
backups of the data folder, or the path of a backup elsewhere. The broker must not run.`,
		Example: "  hpmq-cli store restore before-upgrade --data /var/lib/hpmq\n" +
			"  hpmq-cli store restore /mnt/usb/before-upgrade --data /var/lib/hpmq",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := os.Stat(data); err != nil { // before it is made for nothing
				if _, err := theBackup(args[0], data); err != nil {
					return err
				}
			}
			return hold(cmd.Context(), data, true, func() error {
				return s.storeRestore(args[0], data)
			})
		},
	}
	dataFlag(c, &data)
	return c
}

func (s *settings) storeRestore(name, data string) error {
	dir, err := theBackup(name, data)
	if err != nil {
		return err
	}
	end := s.busy("restoring " + name)
	info, rep, err := backup.Restore(dir, data, nil)
	end()
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(client.Verified{
			Backup: backupOf(&info), Sessions: rep.Sessions, Queued: rep.Queued,
			QueuedBytes: rep.QueuedBytes, InFlight: rep.InFlight, Received: rep.Received,
			Retained: rep.Retained, RetainedBytes: rep.RetainedBytes,
		})
	}
	return s.printf("%s holds what %s did: %d sessions, %d queued messages, %d retained", data,
		info.Name, rep.Sessions, rep.Queued, rep.Retained)
}

// theBackup is the folder of a backup that is there.
func theBackup(name, data string) (string, error) {
	dir, err := backupFolder(name, data)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(dir); err != nil {
		return "", fmt.Errorf("there is no backup %s: %w: name one of those in %s, or the path of "+
			"one elsewhere", name, err, filepath.Join(data, backup.Folder))
	}
	return dir, nil
}
