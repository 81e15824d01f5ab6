// Package lent is the import hpmq:broker/payload: a payload that the host lends for one call. The
// packages byhandle of the roles hand it on.
package lent
