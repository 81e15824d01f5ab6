#!/bin/sh
# fuzz.sh [TIME] fuzzes every Fuzz function of the tree for TIME (default 30s), one after the other:
# each uses all processors. What it finds stays in testdata/fuzz of the package: keep it, it is a test.
set -eu
cd "$(dirname "$0")/.."
time=${1:-30s}
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# "path/of/package FuzzName" a line, in a fixed order.
list=$(git ls-files -co --exclude-standard '*_test.go' | sort | xargs awk '
	/^func Fuzz[A-Za-z0-9_]*\(f \*testing\.F\)/ {
		dir = FILENAME
		sub(/\/[^\/]*$/, "", dir)
		name = $2
		sub(/\(.*/, "", name)
		print dir, name
	}')
[ -n "$list" ] || { echo "fuzz: no Fuzz function found" >&2; exit 1; }

printf '%s\n' "$list" | while read -r dir name; do
	echo "fuzz: $dir $name $time"
	# By default Go spends up to a minute on making each new input smaller: all the time there is.
	go test -run '^$' -fuzz "^$name\$" -fuzztime "$time" -fuzzminimizetime 100x "./$dir" \
		>"$out" 2>&1 && rc=0 || rc=$?
	cat "$out"
	# Go ends with this error, and no failing input, when the time is up while a worker is at work.
	# A finding always names its input.
	if [ "$rc" != 0 ] && grep -q '^    context deadline exceeded$' "$out" &&
		! grep -q 'Failing input written' "$out"; then
		echo "fuzz: the time was up in the middle of an input; nothing was found"
		rc=0
	fi
	[ "$rc" = 0 ] || exit "$rc"
done
