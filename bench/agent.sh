#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Memory and CPU of an idle agent that reports to a real master over TLS, one
# heartbeat in ten seconds.
#   bench/agent.sh [BUILD_DIR [SECONDS]]
# Needs jq, curl. Figures are printed, never judged.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need jq curl
BUILD=$(cd "${1:-$ROOT/build/demo}" && pwd -P) SPAN=${2:-60}

port=$((20000 + RANDOM % 30000))
url=https://127.0.0.1:$port
printf 'a long bench password' >"$T/password" && chmod 600 "$T/password"
"$BUILD/felloe-masterd" init -c "$T/master.json" --state "$T/m" --listen "127.0.0.1:$port" --admin admin \
	--password-file "$T/password" --self-signed >"$T/init"
pin=$(grep -oh 'sha256//[A-Za-z0-9+/=]*' "$T/init" | head -n 1)
"$BUILD/felloe-masterd" run -c "$T/master.json" --state "$T/m" 2>"$T/master.log" &
PIDS+=($!)
api() { curl -fsSk -X "$1" "$url/api/v1$2" -H 'Content-Type: application/json' "${@:3}"; }
until curl -fsk "$url/health" >/dev/null; do sleep 0.1; done
token=$(curl -fsSk "$url/api/v1/auth/login" -d username=admin --data-urlencode "password@$T/password" | jq -er .access_token)

node_config "{\"name\":\"files\",\"paths\":[\"$T/m\"]}"
noded join --master "$url" ${pin:+--pin "$pin"} >"$T/join" 2>&1 || { cat "$T/join" >&2; exit 1; }
id=$(api GET /nodes/ -H "Authorization: Bearer $token" | jq -er '.[0].id')
api POST "/nodes/approve/$id" -H "Authorization: Bearer $token" -d '{}' >/dev/null
"$BUILD/felloe-noded" agent -c "$T/config.json" --state "$T/state" 2>"$T/agent.log" &
agent=$!
PIDS+=("$agent")
online() { api GET /nodes/ -H "Authorization: Bearer $token" | jq -e '.[0].liveness == "online"' >/dev/null; }
until online; do sleep 0.2; done

cpu_ns() { cat /proc/$agent/task/*/schedstat | awk '{n += $1} END {printf "%.0f\n", n}'; }
look() { awk '$1 == "Rss:" {r = $2} $1 == "Pss:" {p = $2} $1 == "Anonymous:" {a = $2} END {print r, p, a}' /proc/$agent/smaps_rollup; }
sleep 20 # the start and the first report are not what is measured
before=$(cpu_ns)
for ((i = 0; i < SPAN; i++)); do look >>"$T/sizes"; sleep 1; done
used=$(($(cpu_ns) - before))
printf '%-24s %10s %10s\n' "agent, idle, $SPAN s" "mean" "most"
awk '{for (i = 1; i <= 3; i++) {sum[i] += $i; if ($i > max[i]) max[i] = $i}}
	END {split("RSS MiB,PSS MiB,anonymous MiB", n, ","); for (i = 1; i <= 3; i++) printf "%-24s %10.1f %10.1f\n", n[i], sum[i] / NR / 1024, max[i] / 1024}' "$T/sizes"
printf '%-24s %9.3f %%\n' "CPU of one core" "$(awk -v ns="$used" -v s="$SPAN" 'BEGIN {print ns / 1e7 / s}')"
printf '%-24s %8.2f ms\n' "CPU a heartbeat" "$(awk -v ns="$used" -v s="$SPAN" 'BEGIN {print ns / 1e6 / s * 10}')"
