package main

import (
	"errors"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/host/backup"
	"github.com/hpmq/hpmq/sdk/client"
)

func newBackup(s *settings) *cobra.Command {
	c := &cobra.Command{
		Use:   "backup",
		Short: "Copy what a running broker keeps, and look after the copies",
		Long: `Copy what a running broker keeps: sessions, queues, retained messages. A backup is a
folder in backups of the broker's data folder; what was acknowledged before it began is in it. To
go back to one, stop the broker and use: hpmq-cli store restore NAME --data DIR`,
	}
	c.AddCommand(newBackupCreate(s), newBackupList(s), newBackupVerify(s), newBackupDelete(s))
	return c
}

func newBackupCreate(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "create [NAME]",
		Short: "Make a backup; without a name it is called by the time of now",
		Example: "  hpmq-cli backup create\n" +
			"  hpmq-cli backup create before-upgrade",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: noFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.backupCreate(cmd, append(args, "")[0])
		},
	}
}

func (s *settings) backupCreate(cmd *cobra.Command, name string) error {
	c, err := s.client()
	if err != nil {
		return err
	}
	end := s.busy("making a backup")
	b, err := c.Backup(cmd.Context(), client.NewBackup{Name: name})
	end()
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(b)
	}
	return s.printf("%s: %d files, %s, made in %d ms", b.Name, b.Files, bytesText(int(b.Bytes)),
		b.TookMS)
}

func newBackupList(s *settings) *cobra.Command {
	var data string
	c := &cobra.Command{
		Use:   "list",
		Short: "Show the backups, oldest first",
		Example: "  hpmq-cli backup list\n" +
			"  hpmq-cli backup list --data /var/lib/hpmq",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := s.backups(cmd, data)
			if err != nil {
				return err
			}
			return s.backupList(list)
		},
	}
	withoutBroker(c, &data)
	return c
}

// withoutBroker is the flag of commands that can do without one.
func withoutBroker(c *cobra.Command, data *string) {
	c.Flags().StringVar(data, "data", "", "look into this data folder; ask no broker")
}

func (s *settings) backups(cmd *cobra.Command, data string) ([]client.Backup, error) {
	if data == "" {
		c, err := s.client()
		if err != nil {
			return nil, err
		}
		return c.Backups(cmd.Context())
	}
	infos, err := backup.List(filepath.Join(data, backup.Folder))
	list := make([]client.Backup, len(infos))
	for i := range infos {
		list[i] = backupOf(&infos[i])
	}
	return list, err
}

func backupOf(i *backup.Info) client.Backup {
	return client.Backup{
		Name: i.Name, Created: i.Created, Program: i.Program, Files: len(i.Files),
		Bytes: i.Bytes(), Damaged: i.Version == 0,
	}
}

func (s *settings) backupList(list []client.Backup) error {
	if s.json {
		return s.printJSON(list)
	}
	rows := make([][]string, len(list))
	for i, b := range list {
		rows[i] = []string{
			b.Name, b.Created.Format(time.RFC3339), b.Program, strconv.Itoa(b.Files),
			bytesText(int(b.Bytes)),
		}
		if b.Damaged {
			rows[i] = []string{b.Name, "damaged", "", "", ""}
		}
	}
	return s.table([]string{"NAME", "CREATED", "BY", "FILES", "SIZE"}, rows)
}

func newBackupVerify(s *settings) *cobra.Command {
	var data string
	c := &cobra.Command{
		Use:   "verify NAME",
		Short: "Read all of a backup, and say what is in it",
		Example: "  hpmq-cli backup verify before-upgrade\n" +
			"  hpmq-cli backup verify before-upgrade --data /var/lib/hpmq",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: s.backupNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.backupVerify(cmd, args[0], data)
		},
	}
	withoutBroker(c, &data)
	return c
}

// backupNames completes the names that the broker has.
func (s *settings) backupNames(
	cmd *cobra.Command, args []string, _ string,
) (names []string, _ cobra.ShellCompDirective) {
	if list, err := s.backups(cmd, ""); err == nil && len(args) == 0 {
		for _, b := range list {
			names = append(names, b.Name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func (s *settings) backupVerify(cmd *cobra.Command, name, data string) error {
	end := s.busy("reading " + name)
	v, err := s.verified(cmd, name, data)
	end()
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(v)
	}
	return s.printf("%s is whole: %d sessions, %d queued messages (%s), %d retained (%s)",
		v.Backup.Name, v.Sessions, v.Queued, bytesText(int(v.QueuedBytes)), v.Retained,
		bytesText(int(v.RetainedBytes)))
}

func (s *settings) verified(
	cmd *cobra.Command, name, data string,
) (v client.Verified, err error) {
	if data == "" {
		c, err := s.client()
		if err != nil {
			return v, err
		}
		return c.VerifyBackup(cmd.Context(), name)
	}
	dir, err := backupFolder(name, data)
	if err != nil {
		return v, err
	}
	info, rep, err := backup.Verify(dir)
	return client.Verified{
		Backup: backupOf(&info), Sessions: rep.Sessions, Queued: rep.Queued,
		QueuedBytes: rep.QueuedBytes, InFlight: rep.InFlight, Received: rep.Received,
		Retained: rep.Retained, RetainedBytes: rep.RetainedBytes,
	}, err
}

// backupFolder is where the backup of that name is, or of that path if it has more than a name.
func backupFolder(name, data string) (string, error) {
	if filepath.Base(name) != name {
		return name, nil
	}
	if !backup.ValidName(name) {
		return "", usageError{errors.Join(backup.ErrName)}
	}
	return filepath.Join(data, backup.Folder, name), nil
}

func newBackupDelete(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:               "delete NAME",
		Short:             "Remove a backup",
		Example:           "  hpmq-cli backup delete before-upgrade",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: s.backupNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := s.client()
			if err != nil {
				return err
			}
			if err := c.DeleteBackup(cmd.Context(), args[0]); err != nil {
				return err
			}
			if s.json {
				return s.printJSON(struct{}{})
			}
			return s.printf("%s is deleted", printable(args[0]))
		},
	}
}
