#!/bin/sh
# bench-store.sh measures what it takes to keep messages, beside the mosquitto that is installed, by
# turns, so that a noisy minute hurts all alike. hpmq acknowledges what is on the device (durability:
# sync); mosquitto with persistence acknowledges what it has in memory, and writes all of it to its
# file every half hour and at its end: it waits for no disk, and a kill takes what came since.
#   away       publishers of QoS 1 to persistent sessions that are not connected, which then fetch all
#   connected  the same to sessions that are
#   retained   messages under a topic each, then a new subscriber of all
#   many       a million messages for a thousand sessions that are away
# It prints a table and leaves every single result in bin/bench-store.jsonl.
#
#   TURNS=3 BROKERS="hpmq mosquitto" PARTS="away connected retained many" WINDOW=100 tools/bench-store.sh
#   STORE=DIR puts what they write there; by default a folder below bin.
set -eu
cd "$(dirname "$0")/.."
: "${TURNS:=3}" "${PORT:=31884}" "${BROKERS:=hpmq mosquitto}" "${WINDOW:=100}"
: "${PARTS:=away connected retained many}" "${STORE:=$PWD/bin/bench-store}"
out=bin/bench-store.jsonl

fail() { echo "bench-store: $*" >&2; exit 1; }
case " $BROKERS " in
*" mosquitto "*) command -v mosquitto >/dev/null || fail "needs mosquitto: apt-get install mosquitto" ;;
esac

pid=
stop() {
	[ -z "$pid" ] && return 0
	kill "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
	pid=
}
trap 'stop; rm -rf "$STORE"' EXIT INT TERM

mkdir -p bin
go build -trimpath -o bin/ ./host/cmd/hpmq ./conformance/load/cmd/hpmq-stored
: >"$out"

# Each start is with an empty folder.
start() {
	rm -rf "$STORE"
	mkdir -p "$STORE/data"
	cat >"$STORE/hpmq.yaml" <<END
data_dir: $STORE/data
sys_interval: 1s
admin: {bind: off}
log: {level: error}
limits: {queue_messages_max: 1000000, queue_bytes_max: 1GiB}
listeners:
  - name: bench
    bind: tcp://127.0.0.1:$PORT
    link: {authenticator: [], authorizer: [], transformer: [], deduplicator: [], router: []}
END
	cat >"$STORE/mosquitto.conf" <<END
listener $PORT 127.0.0.1
allow_anonymous true
user root
persistence true
persistence_location $STORE/data/
log_type error
max_inflight_messages 1000
max_queued_messages 0
sys_interval 0
END
	case $1 in
	mosquitto) mosquitto -c "$STORE/mosquitto.conf" >"$STORE/log" 2>&1 & ;;
	*) bin/hpmq --config "$STORE/hpmq.yaml" >"$STORE/log" 2>&1 & ;;
	esac
	pid=$!
	tries=100
	until bin/hpmq-stored -addr "127.0.0.1:$PORT" -pubs 1 -sessions 1 -rounds 1 >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] && kill -0 "$pid" 2>/dev/null || { cat "$STORE/log" >&2; fail "$1 did not start"; }
		sleep 0.1
	done
}

name() {
	case $1 in
	mosquitto) mosquitto -h | sed -n '1s/ version / /p' ;;
	*) echo "$1" ;;
	esac
}

for part in $PARTS; do
	case $part in
	away) how="-sessions 1000 -rounds 20" ;;
	connected) how="-online -sessions 10 -rounds 2000" ;;
	retained) how="-retained 100000 -window $((10 * WINDOW))" ;; # one publisher in place of ten
	many) how="-sessions 1000 -rounds 100" ;;
	*) fail "no part $part" ;;
	esac
	for turn in $(seq "$TURNS"); do
		for broker in $BROKERS; do
			start "$broker"
			echo "bench-store: $part, turn $turn, $broker" >&2
			# shellcheck disable=SC2086 # several words
			bin/hpmq-stored -addr "127.0.0.1:$PORT" -pid "$pid" -dir "$STORE/data" -window "$WINDOW" \
				-label "$(name "$broker")" $how >>"$out"
			stop
		done
	done
done
bin/hpmq-stored -table "$out"
