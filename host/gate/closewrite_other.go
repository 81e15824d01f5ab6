//go:build !unix

package gate

import (
	"errors"

	"github.com/panjf2000/gnet/v2"
)

// closeWrite is not done here: gnet has no such call, and its descriptor is a duplicate.
func closeWrite(gnet.Conn) error { return errors.ErrUnsupported }
