// Package msglog keeps records of what went by a listener, to be looked back into: files that only
// grow, of compressed blocks that say what is in them, so that a question reads few of them.
// FORMAT.md draws the files.
//
// It knows records, blocks, segments, what is too old or too much, and how a question is answered.
// It does not know where a record comes from, nor who asks. A Log is evidence, not a promise:
// nothing waits for it, a kill takes what was appended since the last Flush, and a power cut what
// the system had not written yet.
package msglog
