#!/usr/bin/env bash
# A private Postgres cluster in a directory. Usage: postgres.sh start|stop|restart|erase DIRECTORY
# `start` prints the superuser's URL. The password is made once and kept beside the data.
set -euo pipefail
mkdir -p "$2"
dir=$(cd "$2" && pwd)
bin=$(dirname "$(printf "%s\n" /usr/lib/postgresql/*/bin/initdb | sort -V | tail -1)")

# Postgres refuses to run as root, who lends the cluster to the user postgres, where that can reach.
as=(env -C /)
home=$dir
if [ "$(id -u)" = 0 ]; then
  as+=(setpriv --reuid=postgres --regid=postgres --init-groups)
  "${as[@]}" test -x "$dir" || home=/var/tmp/confab-$(cksum <<<"$dir" | cut -d' ' -f1)
  install -d -o postgres -g postgres -m 700 "$home/cluster"
else
  install -d -m 700 "$home/cluster"
fi
data=$home/cluster/data
secret=$home/cluster/password

ctl() { "${as[@]}" "$bin/pg_ctl" -s -D "$data" -w -t 60 "$@"; }

# Is the process of the pid file really the server of this cluster? After a kill -9 it may be any.
runs() { # reading as the owner: the cluster is closed to everybody else
  local id
  id=$("${as[@]}" head -n 1 "$data/postmaster.pid" 2>/dev/null) || return 1
  tr '\0' '\n' <"/proc/$id/cmdline" 2>/dev/null | grep -qxF "$data" && return
  "${as[@]}" rm -f "$data/postmaster.pid"
  return 1
}

make_cluster() {
  "${as[@]}" rm -rf "$data" # what an interrupted first start left
  "${as[@]}" sh -c 'umask 077; od -An -N16 -tx1 /dev/urandom | tr -d " \n" >"$0"' "$secret"
  "${as[@]}" "$bin/initdb" -D "$data" -U postgres -E UTF8 --locale=C.UTF-8 \
    --auth=scram-sha-256 --pwfile="$secret" >/dev/null
  "${as[@]}" tee -a "$data/postgresql.conf" >/dev/null <<<"listen_addresses = '127.0.0.1'
    unix_socket_directories = ''
    max_connections = 300"
  "${as[@]}" touch "$data/complete"
}

start() { # with the port of last time when it is still free
  [ -e "$data/complete" ] || make_cluster
  port=$("$(dirname "$0")/free-port" "$(cat "$dir/port" 2>/dev/null || echo 0)")
  echo "$port" >"$dir/port"
  for _ in 1 2 3; do # the children of a killed server need a moment to let go of its memory
    ctl -l "$home/cluster/log" -o "-p $port" start && return
    sleep 1
  done
  exit 1
}

case $1 in
  start) { runs && "$bin/pg_isready" -q -h 127.0.0.1 -p "$(cat "$dir/port")"; } || start ;;
  *)
    if runs; then ctl -m fast stop; fi
    case $1 in
      restart) start ;;
      erase) rm -rf "$home" "$dir" && exit ;;
      *) exit ;;
    esac
    ;;
esac
port=$(cat "$dir/port")
PGPASSWORD=$(cat "$secret") psql -qAtX -h 127.0.0.1 -p "$port" -U postgres <<'SQL'
SELECT 'CREATE DATABASE confab' WHERE NOT EXISTS (
  SELECT FROM pg_database WHERE datname = 'confab') \gexec
SQL
echo "postgres://postgres:$(cat "$secret")@127.0.0.1:$port/confab"
