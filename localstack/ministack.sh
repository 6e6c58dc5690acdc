#!/usr/bin/env bash
# A private ministack (AWS emulator) in a directory. Usage: ministack.sh start|stop DIRECTORY
# `start` prints its URL. It is stopped with SIGTERM, because only then it writes its state.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$2"
dir=$(cd "$2" && pwd)

# Prints the process id, but only while that process is the ministack of this directory: after a
# kill -9 the number in the file may be anybody's.
pid() {
  local id
  id=$(cat "$dir/pid" 2>/dev/null) && [ -n "$id" ] || return 0
  if grep -qzxF "STATE_DIR=$dir/state" "/proc/$id/environ" 2>/dev/null; then echo "$id"; fi
}

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

start() {
  local port id
  port=$("$here/free-port" "$(cat "$dir/port" 2>/dev/null || echo 0)")
  mkdir -p "$dir/state" "$dir/tmp"
  # A clean environment: credentials, endpoints and log levels of the caller are not for it.
  env -i PATH="$PATH" HOME="$dir" TMPDIR="$dir/tmp" PYTHONPATH="$here/ministack" \
    BIND_HOST=127.0.0.1 GATEWAY_PORT="$port" MINISTACK_HOST=127.0.0.1 LOG_LEVEL=WARNING \
    PERSIST_STATE=1 STATE_DIR="$dir/state" S3_PERSIST=1 S3_DATA_DIR="$dir/state/s3" \
    SFTP_ENABLED=0 IOT_MTLS_ENABLED=0 AWS_DEFAULT_REGION=us-east-1 \
    setsid "$here/../.local/venv/bin/ministack" >"$dir/log" 2>&1 </dev/null &
  id=$!
  echo "$id" >"$dir/pid"
  echo "$port" >"$dir/port"
  for _ in $(seq 300); do
    listens "$port" && return
    kill -0 "$id" 2>/dev/null || break
    sleep 0.1
  done
  echo "ministack did not start; its log: $dir/log" >&2
  tail -n 20 "$dir/log" >&2
  exit 1
}

stop() {
  local id
  id=$(pid)
  [ -n "$id" ] || return 0
  kill -TERM "$id"
  for _ in $(seq 300); do kill -0 "$id" 2>/dev/null || return 0; sleep 0.1; done
  echo "ministack (process $id) does not stop; its log: $dir/log" >&2
  exit 1
}

case $1 in
  start)
    { [ -n "$(pid)" ] && listens "$(cat "$dir/port")"; } || start
    echo "http://127.0.0.1:$(cat "$dir/port")"
    ;;
  stop) stop ;;
esac
