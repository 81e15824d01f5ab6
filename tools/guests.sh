#!/bin/sh
# guests.sh [--check] [LANGUAGE...] builds the policy of conformance/guests/policy in each language
# that has a script in tools/guests, or in those named, and puts the .wasm beside the sources. The
# scripts install what they need, pinned by tools/versions.sh, so a bare machine will do.
# With --check it builds into a folder of its own and says which differ from what is committed.
# What is over 200 KB, an engine with the script inside, is never committed: it goes to .tools/guests.
#
# A script is called with a folder to build into. It prints a line for each file it made there:
# FILE FORM TOOLCHAIN, as in "policy.wasm component clang-19.1.7". All else goes to stderr. It is timed
# twice: the second time is that of a build with everything installed and warm.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
. "$here/versions.sh"

check=
if [ "${1:-}" = --check ]; then
	check=1
	shift
fi
if [ $# = 0 ]; then
	set -- $(cd "$here/guests" && for s in *.sh; do [ ! -x "$s" ] || echo "${s%.sh}"; done)
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
wrong=
for lang in "$@"; do
	[ -x "$here/guests/$lang.sh" ] || fail "no tools/guests/$lang.sh"
	mkdir "$work/$lang"
	say "$lang"
	"$here/guests/$lang.sh" "$work/$lang" >/dev/null
	begin=$(date +%s.%N)
	"$here/guests/$lang.sh" "$work/$lang" >"$work/made"
	seconds=$(echo "$(date +%s.%N) $begin" | awk '{ printf "%.1f", $1 - $2 }')
	while read -r file form toolchain; do
		size=$(wc -c <"$work/$lang/$file")
		echo "$lang $form $toolchain $size bytes $seconds s"
		folder=$root/conformance/guests/policy/$lang
		[ "$size" -le 200000 ] || folder=$root/.tools/guests/$lang
		if [ -z "$check" ]; then
			mkdir -p "$folder"
			cp "$work/$lang/$file" "$folder/$file"
			chmod 644 "$folder/$file"
		elif [ "$size" -le 200000 ]; then
			cmp "$work/$lang/$file" "$folder/$file" || wrong="$wrong $lang/$file"
		fi
	done <"$work/made"
done
[ -z "$wrong" ] || fail "not what the sources make:$wrong"
