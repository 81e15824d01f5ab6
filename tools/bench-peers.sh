#!/bin/sh
# bench-peers.sh measures, in alternation (A B C D A B C D …), so that a noisy minute hurts all alike:
#   bare        hpmq without components
#   components  hpmq with the five default components as they come: their interest is small, so most
#               messages cost a look and no call
#   asked       the same with rules that match every message: transformer, deduplicator and router are
#               called for each, the authorizer answers from the decision cache
#   mosquitto   the one that is installed
# It prints the medians as a table and leaves every single result in bin/bench-peers.jsonl.
#
#   ROUNDS=3 SECONDS_EACH=5 QOS="0 1" PORT=31883 PAIRS=10 BYTES=128 WINDOW=100 tools/bench-peers.sh
#   BROKERS="bare mosquitto" leaves one out.
set -eu
cd "$(dirname "$0")/.."
: "${ROUNDS:=3}" "${SECONDS_EACH:=5}" "${QOS:=0 1}" "${PORT:=31883}"
: "${PAIRS:=10}" "${BYTES:=128}" "${WINDOW:=100}" "${BROKERS:=bare components asked mosquitto}"
out=bin/bench-peers.jsonl

fail() { echo "bench-peers: $*" >&2; exit 1; }
case " $BROKERS " in
*" mosquitto "*) command -v mosquitto >/dev/null || fail "needs mosquitto: apt-get install mosquitto" ;;
esac

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
case " $BROKERS " in
*" bare "* | *" components "* | *" asked "*) go build -trimpath -o bin/hpmq ./host/cmd/hpmq ;;
esac
go build -trimpath -o bin/hpmq-load ./conformance/load/cmd/hpmq-load
: >"$out"

# No component at all: every role is an empty list.
cat >"$tmp/bare.yaml" <<END
data_dir: memory
admin: {bind: off}
log: {level: error}
listeners:
  - name: bench
    bind: tcp://127.0.0.1:$PORT
    link: {authenticator: [], authorizer: [], transformer: [], deduplicator: [], router: []}
END
# No link: the five default components.
sed '/link:/d' "$tmp/bare.yaml" >"$tmp/components.yaml"
# Rules for every topic. The payload is not JSON, so it goes on as it came after it was looked at.
sed '$d' "$tmp/bare.yaml" >"$tmp/asked.yaml"
cat >>"$tmp/asked.yaml" <<END
    link:
      authorizer: [{use: authorizer-rules, config: {rules: [
        {effect: allow, actions: [publish, subscribe], topics: ["#"]}]}}]
      transformer: [{use: transformer-json, config: {rules: [
        {filter: "#", steps: [{const: {seen: true}}]}]}}]
      deduplicator: [{use: deduplicator-window, config: {rules: [
        {filter: "#", change: {value: {absolute: 1}}}]}}]
      router: [{use: router-rules, config: {rules: [{filter: "#", reach: region}]}}]
END
cat >"$tmp/mosquitto.conf" <<END
listener $PORT 127.0.0.1
allow_anonymous true
persistence false
log_type error
max_inflight_messages 1000
max_queued_messages 0
END

start() {
	case $1 in
	mosquitto) mosquitto -c "$tmp/mosquitto.conf" >"$tmp/log" 2>&1 & ;;
	*) bin/hpmq --config "$tmp/$1.yaml" >"$tmp/log" 2>&1 & ;;
	esac
	pid=$!
	tries=100
	until bin/hpmq-load -addr "127.0.0.1:$PORT" -pattern conns -pubs 1 -subs 0 -duration 1ms \
		>/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] && kill -0 "$pid" 2>/dev/null || { cat "$tmp/log" >&2; fail "$1 did not start"; }
		sleep 0.1
	done
}

name() {
	case $1 in
	bare) echo "hpmq, no components" ;;
	components) echo "hpmq, five components" ;;
	asked) echo "hpmq, five components asked" ;;
	mosquitto) mosquitto -h | sed -n '1s/ version / /p' ;;
	esac
}

for qos in $QOS; do
	for round in $(seq "$ROUNDS"); do
		for broker in $BROKERS; do
			start "$broker"
			echo "bench-peers: QoS $qos, round $round, $broker" >&2
			bin/hpmq-load -addr "127.0.0.1:$PORT" -pid "$pid" -label "$(name "$broker")" -json \
				-pubs "$PAIRS" -subs "$PAIRS" -qos "$qos" -size "$BYTES" -window "$WINDOW" \
				-duration "${SECONDS_EACH}s" >>"$out"
			stop
		done
	done
done
bin/hpmq-load -medians "$out"
