#!/usr/bin/env bash
# conformance-peers.sh judges other brokers by the same suite: Debian's mosquitto and mochi, beside
# hpmq. It prints a table for each and leaves the reports in bin/conformance-NAME.{json,html,txt}.
#
#   BROKERS="hpmq mosquitto mochi" PORT=31900 tools/conformance-peers.sh [flags of hpmq-cli conformance]
#
# What the failures of the peers mean is told in conformance/README.md.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${BROKERS:=hpmq mosquitto mochi}" "${PORT:=31900}"
MOCHI=github.com/mochi-mqtt/server/v2/cmd@v2.7.9

fail() { echo "conformance-peers: $*" >&2; exit 1; }

tmp=$(mktemp -d)
pid=
stop() {
	[ -z "$pid" ] && return 0
	kill "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
	pid=
}
trap 'stop; rm -rf "$tmp"' EXIT INT TERM

mkdir -p bin
go build -trimpath -o bin/hpmq-cli ./sdk/cmd/hpmq-cli

start_hpmq() {
	go build -trimpath -o bin/hpmq ./host/cmd/hpmq
	bin/hpmq --data memory --listen "tcp://127.0.0.1:$PORT" --admin off >"$tmp/log" 2>&1 &
	pid=$!
}

start_mosquitto() {
	command -v mosquitto >/dev/null || fail "needs mosquitto: apt-get install mosquitto"
	cat >"$tmp/mosquitto.conf" <<END
listener $PORT 127.0.0.1
allow_anonymous true
persistence false
END
	mosquitto -c "$tmp/mosquitto.conf" >"$tmp/log" 2>&1 &
	pid=$!
}

start_mochi() {
	GOBIN="$PWD/bin/mochi" go install "$MOCHI"
	# It ends on some packets, so it is started again: the suite tells which case ended it.
	(
		trap 'kill "$child" 2>/dev/null; exit' TERM
		while :; do
			bin/mochi/cmd -tcp "127.0.0.1:$PORT" -ws "127.0.0.1:$((PORT + 1))" \
				-info "127.0.0.1:$((PORT + 2))" >>"$tmp/log" 2>&1 &
			child=$!
			wait "$child" || true
			sleep 1
		done
	) &
	pid=$!
}

# The port is open when the broker listens.
listening() {
	for _ in $(seq 100); do
		(: >"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null && return 0
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.1
	done
	cat "$tmp/log" >&2
	fail "the broker does not listen"
}

for broker in $BROKERS; do
	echo "== $broker"
	"start_$broker"
	listening
	bin/hpmq-cli conformance --target "tcp://127.0.0.1:$PORT" --report "bin/conformance-$broker.json" \
		--html "bin/conformance-$broker.html" "$@" >"bin/conformance-$broker.txt" || true
	# The failures by name, then the counts.
	grep '^FAILED' "bin/conformance-$broker.txt" || true
	sed -n '/^tcp:/,$p' "bin/conformance-$broker.txt"
	stop
done
