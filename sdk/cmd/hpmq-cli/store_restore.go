package main

import (
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
			return hold(cmd.Context(), data, true, func() error {
				return s.storeRestore(args[0], data)
			})
		},
	}
	dataFlag(c, &data)
	return c
}

func (s *settings) storeRestore(name, data string) error {
	dir, err := backupFolder(name, data)
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
