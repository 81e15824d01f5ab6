// Package storm knows what clients may notice while components are swapped again and again: nothing
// but the new answers. Signed bundles in two versions take turns under publishers whose every
// message an authorizer, a transformer, a deduplicator and a router are asked about.
//
// The transformer stamps each message with the version and the number of the swap, so that whoever
// receives it sees who answered. It does not know how a swap works: it sees the API and messages.
package storm
