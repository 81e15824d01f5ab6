package admin

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/hpmq/hpmq/sdk/client"
)

// Backups makes copies of what the broker keeps. Its calls take as long as copying or reading does.
type Backups interface {
	Backups(ctx context.Context) ([]client.Backup, error)
	Backup(ctx context.Context, n client.NewBackup) (client.Backup, error)
	VerifyBackup(ctx context.Context, name string) (client.Verified, error)
	DeleteBackup(ctx context.Context, name string) error
}

// backupNamed is a request about one backup.
type backupNamed struct {
	Name string `path:"name" maxLength:"64"`
}

func registerBackups(api huma.API, b Backups) {
	const one = "/store/backups/{name}"
	huma.Register(api, operation("list-backups", http.MethodGet, "/store/backups",
		"Copies of what the broker keeps, oldest first"),
		func(ctx context.Context, _ *struct{}) (*of[[]client.Backup], error) {
			return answerList(b.Backups(ctx))
		})
	create := operation("create-backup", http.MethodPost, "/store/backups",
		"Copy what the broker keeps while it runs; what was acknowledged before is in it")
	create.DefaultStatus = http.StatusCreated
	huma.Register(api, create,
		func(ctx context.Context, in *of[client.NewBackup]) (*of[client.Backup], error) {
			return answer(b.Backup(ctx, in.Body))
		})
	huma.Register(api, operation("verify-backup", http.MethodPost, one+"/verify",
		"Read all of a backup"),
		func(ctx context.Context, in *backupNamed) (*of[client.Verified], error) {
			return answer(b.VerifyBackup(ctx, in.Name))
		})
	huma.Register(api, operation("delete-backup", http.MethodDelete, one, "Remove a backup"),
		func(ctx context.Context, in *backupNamed) (*struct{}, error) {
			return nil, problem(b.DeleteBackup(ctx, in.Name))
		})
}
