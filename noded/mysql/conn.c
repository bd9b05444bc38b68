/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/conn.h"

#include <errmsg.h>
#include <mysqld_error.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "noded/mysql/sqltext.h"
#include "noded/mysql/version.h"
#include "shared/mem.h"
#include "shared/str.h"

enum {
	CONNECT_S = 10,
	ANSWER_S = 3600, /* a statement of a dump or load may take long; a dead peer is found by keepalive */
};

/* Numbers that not every mysqld_error.h has. */
enum { E_ACCESS_DENIED_NO_PASSWORD = 1698, E_ROUTINE_ACCESS_DENIED = 1370, E_TABLE_ACCESS_DENIED = 1142,
       E_IDLE_TOO_LONG = 4031, E_LOST_EXTENDED = 2055 };

/* What a db_host means. */
struct conn_addr {
	char *host;    /* NULL: the local server over its socket */
	char *socket;  /* NULL: none given */
	unsigned port; /* 0: none given */
};

static void conn_addr_done(struct conn_addr *a)
{
	free(a->host);
	free(a->socket);
	*a = (struct conn_addr){0};
}

/* What stands behind the colon: a port or a socket. */
static int addr_tail(struct conn_addr *a, const char *tail, const char *text, struct err *e)
{
	uint64_t port;

	if (tail[0] == '/') {
		a->socket = xstrdup(tail);
		return 0;
	}
	if (str_to_u64(&port, tail, 1, 65535))
		return err_set(e, ERR_CONFIG,
			       "db_host \"%s\": \"%s\" is neither a port (1-65535) nor the path of a socket", text, tail);
	a->port = (unsigned)port;
	return 0;
}

static int addr_brackets(struct conn_addr *a, const char *text, struct err *e)
{
	const char *end = strchr(text, ']');

	if (!end || end == text + 1 || (end[1] && end[1] != ':'))
		return err_set(e, ERR_CONFIG, "db_host \"%s\": write an IPv6 address as [::1] or [::1]:3306", text);
	a->host = xstrndup(text + 1, (size_t)(end - text - 1));
	return end[1] ? addr_tail(a, end + 2, text, e) : 0;
}

static int conn_addr_parse(struct conn_addr *ret, const char *text, struct err *e)
{
	CLEANUP(conn_addr_done) struct conn_addr a = {0};
	const char *colon = strchr(text, ':');
	int failed = 0;

	if (text[0] == '/')
		a.socket = xstrdup(text);
	else if (text[0] == '[')
		failed = addr_brackets(&a, text, e);
	else if (colon && colon[1] != '/' && strchr(colon + 1, ':'))
		a.host = xstrdup(text);
	else if (colon) {
		a.host = colon > text ? xstrndup(text, (size_t)(colon - text)) : NULL;
		failed = addr_tail(&a, colon + 1, text, e);
	} else if (*text)
		a.host = xstrdup(text);
	if (failed)
		return -1;

	*ret = a;
	a = (struct conn_addr){0};
	return 0;
}

static enum err_kind conn_kind(unsigned code)
{
	switch (code) {
	case ER_ACCESS_DENIED_ERROR:
	case ER_DBACCESS_DENIED_ERROR:
	case E_ACCESS_DENIED_NO_PASSWORD:
		return ERR_DENIED;
	case E_TABLE_ACCESS_DENIED:
	case ER_COLUMNACCESS_DENIED_ERROR:
	case ER_SPECIFIC_ACCESS_DENIED_ERROR:
	case E_ROUTINE_ACCESS_DENIED:
		return ERR_FORBIDDEN;
	case CR_CONNECTION_ERROR:
	case CR_CONN_HOST_ERROR:
	case CR_UNKNOWN_HOST:
	case CR_SERVER_GONE_ERROR:
	case CR_SERVER_LOST:
	case E_LOST_EXTENDED:
	case E_IDLE_TOO_LONG:
	case CR_SSL_CONNECTION_ERROR:
	case ER_CONNECTION_KILLED:
	case ER_SERVER_SHUTDOWN:
		return ERR_NET;
	case ER_CON_COUNT_ERROR:
	case ER_TOO_MANY_USER_CONNECTIONS:
	case ER_LOCK_WAIT_TIMEOUT:
		return ERR_BUSY;
	case ER_BAD_DB_ERROR:
		return ERR_NOTFOUND;
	case ER_NO_SUCH_TABLE:
	case ER_BAD_TABLE_ERROR:
	case ER_TABLE_DEF_CHANGED:
	case ER_LOCK_DEADLOCK:
	case ER_DB_CREATE_EXISTS:
		return ERR_CONFLICT;
	default:
		return ERR_DB;
	}
}

/* The way out, for the errors that have one. */
static const char *hint(unsigned code)
{
	switch (code) {
	case ER_ACCESS_DENIED_ERROR:
	case E_ACCESS_DENIED_NO_PASSWORD:
		return "; check db_user and db_password, and from which hosts the account may connect";
	case ER_DBACCESS_DENIED_ERROR:
		return "; grant the account SELECT, SHOW VIEW, TRIGGER, EVENT and LOCK TABLES on that database";
	case CR_CONNECTION_ERROR:
	case CR_CONN_HOST_ERROR:
		return "; is the server running, and is db_host right?";
	case CR_UNKNOWN_HOST:
		return "; db_host is not a name that resolves";
	case CR_SERVER_GONE_ERROR:
	case CR_SERVER_LOST:
	case E_LOST_EXTENDED:
	case E_IDLE_TOO_LONG:
	case ER_CONNECTION_KILLED:
		return "; the server closed the connection: see its error log, wait_timeout and max_allowed_packet";
	case CR_SSL_CONNECTION_ERROR:
		return "; the connection broke, or TLS was not agreed: see the server's error log, db_ssl and db_ssl_ca";
	case ER_BAD_DB_ERROR:
		return "; check db_name";
	case ER_TABLE_DEF_CHANGED:
		return "; it was altered after the snapshot: run again";
	case ER_UNKNOWN_COM_ERROR: /* Galera's, for all but SET and SHOW */
		return "; this node has lost its cluster: see wsrep_cluster_status, or use another node";
	case ER_CON_COUNT_ERROR:
		return "; raise max_connections or try again later";
	case ER_NET_PACKET_TOO_LARGE:
		return "; raise max_allowed_packet of the server";
	case ER_NEW_ABORTING_CONNECTION: /* before our first statement */
		return "; see init_connect of the server and its error log";
	default:
		return "";
	}
}

static int fail_my(MYSQL *my, const char *who, struct err *e)
{
	unsigned code = mysql_errno(my);
	char text[ERR_MSG_MAX / 2];

	str_cut(text, sizeof(text), mysql_error(my));
	str_clean(text);
	if (!code)
		return err_set(e, ERR_DB, "database %s: the answer is not what was asked for", who);
	return err_set(e, conn_kind(code), "database %s: %s (%u)%s", who, text, code, hint(code));
}

int conn_fail(struct conn *c, struct err *e)
{
	return fail_my(c->my, c->who, e);
}

#ifdef LIBMARIADB
static void set_tls(MYSQL *my, const char *how, const char *ca)
{
	my_bool on = !str_eq(how, "off"), verify = str_eq(how, "verify");

	mysql_options(my, MYSQL_OPT_SSL_ENFORCE, &on);
	mysql_options(my, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
	if (on && !str_empty(ca))
		mysql_options(my, MYSQL_OPT_SSL_CA, ca);
}
#else
static void set_tls(MYSQL *my, const char *how, const char *ca)
{
	unsigned mode = str_eq(how, "off")      ? SSL_MODE_DISABLED
			: str_eq(how, "verify") ? SSL_MODE_VERIFY_IDENTITY
						: SSL_MODE_REQUIRED;

	mysql_options(my, MYSQL_OPT_SSL_MODE, &mode);
	if (mode != SSL_MODE_DISABLED && !str_empty(ca))
		mysql_options(my, MYSQL_OPT_SSL_CA, ca);
}
#endif

static MYSQL *prepare(const struct conn_addr *at, const char *tls, const char *ca)
{
	unsigned connect_s = CONNECT_S, answer_s = ANSWER_S, protocol = MYSQL_PROTOCOL_TCP, no_files = 0;
	unsigned long packet = 1UL << 30;
	MYSQL *my = mysql_init(NULL);

	if (!my)
		abort(); /* only for want of memory, which ends us everywhere */
	mysql_options(my, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
	mysql_options(my, MYSQL_OPT_READ_TIMEOUT, &answer_s);
	mysql_options(my, MYSQL_OPT_WRITE_TIMEOUT, &answer_s);
	mysql_options(my, MYSQL_OPT_LOCAL_INFILE, &no_files);
	mysql_options(my, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet);
	mysql_options(my, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	/* "localhost" with a port means that port, not the socket that the library prefers for this name. */
	if (at->port)
		mysql_options(my, MYSQL_OPT_PROTOCOL, &protocol);
	set_tls(my, tls, ca);
	return my;
}

static MYSQL *try_connect(const struct conn_addr *at, const struct db_access *a, const char *tls)
{
	MYSQL *my = prepare(at, tls, a->ssl_ca);

	/* NULL on failure is told from success by mysql_errno: the handle carries the reason. */
	(void)!mysql_real_connect(my, at->host, a->user, a->password, NULL, at->port, at->socket, 0);
	return my;
}

static char *name_who(const struct conn_addr *at, const struct db_access *a)
{
	const char *host = str_or(at->host, "localhost");

	if (at->socket)
		return xasprintf("%s@%s:%s", str_or(a->user, ""), host, at->socket);
	if (at->port)
		return xasprintf(strchr(host, ':') ? "%s@[%s]:%u" : "%s@%s:%u", str_or(a->user, ""), host, at->port);
	return xasprintf("%s@%s", str_or(a->user, ""), host);
}

static int session(struct conn *c, struct err *e)
{
	static const char *const optional[] = { /* each known to one family or to newer servers only */
		"SET SESSION max_statement_time=0",
		"SET SESSION max_execution_time=0",
		/* a connection of a snapshot idles while others read, or while the uplink is slow */
		"SET SESSION idle_transaction_timeout=0, idle_readonly_transaction_timeout=0, idle_write_transaction_timeout=0",
		/* answers about thousands of tables go through temporary ones */
		"SET SESSION tmp_disk_table_size=18446744073709551615",
		"SET SESSION information_schema_stats_expiry=0",
		/* a table of versions shows its rows of now, not those of the day that the server may name; DEFAULT is "now" */
		"SET SESSION system_versioning_asof=DEFAULT",
		"SET SESSION show_create_table_skip_secondary_engine=ON",
		"SET SESSION TRANSACTION READ WRITE",
		/* tables that are older than it come back with the options that they have, and keys are added to them */
		"SET SESSION innodb_strict_mode=0",
		"SET SESSION explicit_defaults_for_timestamp=1",
		"SET SESSION innodb_compression_default=0",
		"SET SESSION enforce_storage_engine=NULL", /* takes SUPER: preflight.c says so */
		/* no column that the table does not have, none kept from us */
		"SET SESSION sql_require_primary_key=0",
		"SET SESSION sql_generate_invisible_primary_key=0",
		"SET SESSION show_gipk_in_create_table_and_information_schema=1",
		/* sequences cannot be written down as statements */
		"SET SESSION binlog_format=IF(@@binlog_format='STATEMENT','MIXED',@@binlog_format)",
	};

	/* Defaults of the server that would leave out rows, refuse a look at many, or hold back what is written. */
	if (conn_exec(c, "SET NAMES utf8mb4", e) ||
	    conn_exec(c, "SET SESSION time_zone='+00:00', sql_mode='', sql_quote_show_create=1, wait_timeout=86400, "
			 "net_write_timeout=86400, net_read_timeout=3600, sql_select_limit=18446744073709551615, "
			 "sql_big_selects=1, sql_safe_updates=0, sql_auto_is_null=0, autocommit=1, completion_type=0, "
			 /* a view of what is gone is known by its warning */
			 "max_error_count=64, sql_notes=1", e))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(optional); i++)
		(void)!conn_exec(c, optional[i], NULL);
	return 0;
}

int conn_open(struct conn **ret, const struct db_access *a, struct err *e)
{
	CLEANUP(conn_addr_done) struct conn_addr at = {0};
	CLEANUP(conn_freep) struct conn *c = xcalloc(1, sizeof(*c));
	const char *tls = str_or(a->ssl, "prefer");
	bool local, prefer = str_eq(tls, "prefer");

	if (conn_addr_parse(&at, str_or(a->host, ""), e))
		return -1;
	local = at.socket || (!at.port && (!at.host || str_eq(at.host, "localhost")));
	c->who = name_who(&at, a);
	c->my = try_connect(&at, a, local ? "off" : prefer ? "on" : tls);
	if (prefer && !local && mysql_errno(c->my) == CR_SSL_CONNECTION_ERROR) {
		mysql_close(c->my);
		c->my = try_connect(&at, a, "off");
	}
	if (mysql_errno(c->my)) {
		fail_my(c->my, c->who, e);
		return err_wrap(e, "cannot connect");
	}
	if (session(c, e))
		return -1;

	*ret = TAKE(c);
	return 0;
}

bool conn_is_maria(const struct conn *c)
{
	return version_of(str_or(mysql_get_server_info(c->my), "")).maria;
}

void conn_free(struct conn *c)
{
	if (!c)
		return;
	if (c->my)
		mysql_close(c->my);
	free(c->who);
	free(c);
}

void conn_freep(struct conn **c)
{
	conn_free(*c);
}

void conn_res_freep(MYSQL_RES **r)
{
	if (*r)
		mysql_free_result(*r);
}

static int ask(struct conn *c, const char *sql, size_t n, struct err *e)
{
	if (c->dead)
		return err_set(e, ERR_NET, "database %s: the connection was given up after an earlier error", c->who);
	if (mysql_real_query(c->my, sql, n))
		return conn_fail(c, e);
	return 0;
}

int conn_use(struct conn *c, const char *db, struct err *e)
{
	if (c->dead)
		return ask(c, "", 0, e);
	return mysql_select_db(c->my, db) ? conn_fail(c, e) : 0;
}

int conn_exec_n(struct conn *c, const char *sql, size_t n, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;

	if (ask(c, sql, n, e))
		return -1;
	r = mysql_store_result(c->my);
	return !r && mysql_errno(c->my) ? conn_fail(c, e) : 0;
}

int conn_exec(struct conn *c, const char *sql, struct err *e)
{
	return conn_exec_n(c, sql, strlen(sql), e);
}

int conn_rows(struct conn *c, MYSQL_RES **ret, const char *sql, struct err *e)
{
	MYSQL_RES *r;

	if (ask(c, sql, strlen(sql), e))
		return -1;
	r = mysql_store_result(c->my);
	if (!r)
		return conn_fail(c, e);
	*ret = r;
	return 0;
}

int conn_rows_of(struct conn *c, MYSQL_RES **ret, const char *verb, const char *name, struct err *e)
{
	CLEANUP(buf_done) struct buf sql = {0};

	buf_init(&sql, 4096);
	buf_adds(&sql, verb);
	sql_ident(&sql, name);
	if (buf_check(&sql, "statement", e))
		return -1;
	return conn_rows(c, ret, sql.p, e);
}

int conn_stream(struct conn *c, MYSQL_RES **ret, const char *sql, struct err *e)
{
	MYSQL_RES *r;

	if (ask(c, sql, strlen(sql), e))
		return -1;
	r = mysql_use_result(c->my);
	if (!r)
		return conn_fail(c, e);
	*ret = r;
	return 0;
}

int conn_ended(struct conn *c, struct err *e)
{
	return mysql_errno(c->my) ? conn_fail(c, e) : 0;
}

void conn_abandon(struct conn *c)
{
	const struct sockaddr none = {.sa_family = AF_UNSPEC};
	int fd = (int)mysql_get_socket(c->my);

	c->dead = true;
	/* A reset at once (tcp(7)). After a mere shutdown the server, whose window is closed, would learn of it
	 * at its next probe only: a minute or two in which it keeps its locks. A local socket has no such state. */
	if (connect(fd, &none, sizeof(none)))
		shutdown(fd, SHUT_RDWR);
}
