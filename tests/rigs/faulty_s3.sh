#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The small strict S3 server with faults on order (tests/fake/s3-faulty).
#   faulty_s3.sh start DIR PORT [tls]   its own log is DIR/server.log; tls: DIR/tls/ca.crt
#   faulty_s3.sh stop  DIR
#   faulty_s3.sh env   DIR
# Write faults to DIR/faults; read requests in DIR/log.
. "$(dirname "$(readlink -f "$0")")/_lib.sh"
PATH=$SYSPATH
FAKE=$(dirname "$(readlink -f "$0")")/../fake/s3-faulty
cmd=${1:-}; DIR=${2:-}; [ -n "$DIR" ] || die "usage: $0 start DIR PORT [tls] | stop DIR | env DIR"

start() {
  local port=${1:?PORT}
  DIR=$(abs_dir "$DIR")
  command -v python3 >/dev/null || need_pkgs python3-minimal
  local scheme=http with=()
  if [ "${2:-}" = tls ]; then
    make_tls "$DIR"; scheme=https with=("$DIR/tls/server.crt" "$DIR/tls/server.key")
  fi
  spawn "$DIR/server.log" python3 -u "$FAKE" "$DIR" "$port" "${with[@]}"
  echo "$SPAWN_PID" >"$DIR/s3.pid"
  wait_for 20 port_open "$port" || { tail -n 8 "$DIR/server.log" >&2; stop; die "the server did not come up"; }
  cat >"$DIR/env" <<ENV
S3_ENDPOINT=$scheme://127.0.0.1:$port
S3_REGION=us-east-1
S3_ACCESS_KEY=AKIARIG
S3_SECRET_KEY=rigsecret
S3_BUCKET=rig
ENV
  cat "$DIR/env"
}
stop() { stop_pidfile "$DIR/s3.pid" s3-faulty TERM 5; }
case $cmd in
  start) shift 2; start "$@" ;;
  stop)  DIR=$(cd "$DIR" && pwd -P); stop ;;
  env)   cat "$DIR/env" ;;
  *)     die "usage: $0 start DIR PORT [tls] | stop DIR | env DIR" ;;
esac
