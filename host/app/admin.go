package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/admin"
)

// The reasons of refusals, in the words of the admin API.
var (
	errUnknown = admin.ErrNotFound
	errTaken   = admin.ErrConflict
	errRefused = admin.ErrRefused
)

// adminServer is the admin API on its socket.
type adminServer struct {
	addr      net.Addr
	tokenFile string // empty if no token is asked for
}

// openAdmin opens the admin API last: who can ask finds a whole node.
func (a *App) openAdmin(context.Context) error {
	bind := a.cfg.Admin.Bind
	if bind == configs.Off {
		return nil
	}
	b, err := configs.ParseBind(configs.TCP + "://" + bind)
	if err != nil {
		return fmt.Errorf("app: admin: %w", err)
	}
	// An IPv4 address is not one of IPv6 too: Go makes 0.0.0.0 all there are.
	socket, err := net.Listen(b.Network(), b.Address())
	if err != nil {
		return &BindError{Who: whoAdmin, Bind: bind, Err: err}
	}
	a.later("admin socket", func(context.Context) error {
		if err := socket.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	cfg, tokenFile, err := a.adminConfig(socket.Addr())
	if err != nil {
		return err
	}
	o := &operator{a}
	server, err := admin.NewServer(cfg, admin.Broker{
		Node: o, Listeners: o, Links: o, Sessions: o, Backups: o,
		Messages: o, Changes: o, Bundles: o, Quarantine: o,
	})
	if err != nil {
		return fmt.Errorf("app: %w", err)
	}
	server.ErrorLog = slog.NewLogLogger(a.log.Handler(), slog.LevelWarn)
	a.admin = &adminServer{addr: socket.Addr(), tokenFile: tokenFile}
	go func() {
		if err := server.Serve(socket); !errors.Is(err, http.ErrServerClosed) {
			a.log.Error("app: the admin API ended", "error", err)
		}
	}()
	a.later("admin", server.Shutdown)
	return nil
}

// adminConfig looks at the address that was opened, not at its name: only what is loopback for sure
// goes without a token.
func (a *App) adminConfig(addr net.Addr) (admin.Config, string, error) {
	cfg := admin.Default()
	cfg.WasmBytesMax = int(a.cfg.Wasm.ModuleMax)
	tcp, ok := addr.(*net.TCPAddr)
	cfg.Loopback = ok && tcp.IP.IsLoopback()
	file := a.cfg.Admin.TokenFile
	if cfg.Loopback && file == "" {
		return cfg, "", nil
	}
	if file == "" {
		if file = a.dataPath("admin.token"); file == "" {
			return cfg, "", errors.New("app: admin: beyond loopback a token is needed, and " +
				"without a data folder there is no place for one: set admin.token_file")
		}
	}
	token, err := admin.OpenToken(file)
	cfg.Token = token
	return cfg, file, err
}

// AdminURL answers where the admin API is, or "" if it is off.
func (a *App) AdminURL() string {
	if a.admin == nil {
		return ""
	}
	return "http://" + a.admin.addr.String()
}

// TokenFile answers the file of the token that the admin API asks for, or "" if it asks for none.
func (a *App) TokenFile() string {
	if a.admin == nil {
		return ""
	}
	return a.admin.tokenFile
}
