#!/bin/sh
# cross-link.sh TARGETS PROGRAM… links each program for each target, as in
#   tools/cross-link.sh 'linux/arm64 linux/mipsle' ./host/cmd/hpmq
# and prints the sizes. Nothing is kept.
set -eu
cd "$(dirname "$0")/.."
targets=$1
shift
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for target in $targets; do
	for program in "$@"; do
		GOOS=${target%/*} GOARCH=${target#*/} CGO_ENABLED=0 GOMIPS=softfloat \
			go build -trimpath -ldflags='-s -w -funcalign=2' -gcflags=fmt=-l \
			-gcflags=debug/dwarf=-l -gcflags=strings=-l -o "$tmp/program" "$program"
		echo "$target $program $(wc -c <"$tmp/program") bytes"
	done
done
