// Package migration is the export hpmq:broker/migration, which a component of any role may have
// beside it: it brings what another version kept in kv to the schema of this one's manifest.
package migration

// Handler migrates keys.
type Handler interface {
	// Migrate is called for each key, with kv as it was under that key, and nothing else there.
	// What it changes there becomes of the key, a ttl of 0 is what the key has left. An error is a
	// text for the operator, and refuses the swap. key is borrowed until return.
	Migrate(fromSchema, toSchema uint32, key string) error
}
