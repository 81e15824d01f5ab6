#!/usr/bin/env bash
# bench-idle.sh measures the memory of hpmq with idle connections, one listener after the other: tcp,
# then tls. A connection is an MQTT 3.1.1 client with a session that says nothing; they come from
# eight addresses of loopback. Needs room for descriptors: ulimit -n.
#
#   CONNECTIONS=15000 SETTLE=30s PORT=31910 tools/bench-idle.sh
set -euo pipefail
cd "$(dirname "$0")/.."
: "${CONNECTIONS:=15000}" "${SETTLE:=30s}" "${PORT:=31910}"
need=$((CONNECTIONS + 500))
[ "$(ulimit -n)" -ge "$need" ] || ulimit -n "$need" || {
	echo "bench-idle: $need descriptors are needed: ulimit -n" >&2
	exit 1
}

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
go build -trimpath -o bin/ ./host/cmd/hpmq ./sdk/cmd/hpmq-cli ./conformance/load/cmd/hpmq-load
bin/hpmq-cli cert --out "$tmp" >/dev/null
none='{authenticator: [], authorizer: [], transformer: [], deduplicator: [], router: []}'
cat >"$tmp/hpmq.yaml" <<END
data_dir: memory
admin: {bind: off}
log: {level: error}
listeners:
  - {name: tcp, bind: "tcp://127.0.0.1:$PORT", link: $none}
  - name: tls
    bind: tls://127.0.0.1:$((PORT + 1))
    tls: {certificates: [{certificate: server.pem, key: server.key}]}
    link: $none
END

measure() { # name, port, flags
	bin/hpmq --config "$tmp/hpmq.yaml" >"$tmp/log" 2>&1 &
	pid=$!
	for _ in $(seq 100); do
		grep -q 'admin API' "$tmp/log" && break
		sleep 0.1
	done
	bin/hpmq-load -addr "127.0.0.1:$2" $3 -pattern conns -pubs "$CONNECTIONS" -subs 0 -sources 8 \
		-duration "$SETTLE" -pid "$pid" -json >"$tmp/result" || { cat "$tmp/log" >&2; exit 1; }
	numbers=$(sed -E 's/.*"rss_kb":([0-9]+).*"rss_bytes_per_conn":([0-9.]+).*"dropped":([0-9]+).*/\1 \2 \3/' \
		"$tmp/result")
	# shellcheck disable=SC2086 # three numbers
	printf '%-4s %d connections  RSS %d kB  %.0f bytes a connection  %d ended\n' "$1" "$CONNECTIONS" \
		$numbers
	stop
}

measure tcp "$PORT" ""
measure tls "$((PORT + 1))" -tls
