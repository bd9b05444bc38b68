/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/preflight.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "noded/mysql/casing.h"
#include "noded/mysql/cluster.h"
#include "noded/mysql/conn.h"
#include "noded/mysql/grants.h"
#include "noded/mysql/position.h"
#include "noded/mysql/sqltext.h"
#include "noded/mysql/version.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"

enum { SQL_MAX = 1 << 20, MEMBER_ROWS = 1 << 21, MEMBER_BYTES = 64 << 20 };

struct look {
	const struct preflight *p;
	struct needs *needs;
	struct obstacles *obstacles;
	struct conn *c;
	struct grants grants;
	char version[64], account[256], datadir[512];
	bool read_only, trusting;
	int64_t max_packet, casing;    /* max_allowed_packet, lower_case_table_names */
};

void obstacle_add(struct obstacles *p, enum err_kind kind, const char *fmt, ...)
{
	char text[ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)!vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	str_clean(text);
	*list_push(p) = (struct obstacle){kind, xstrdup(text)};
}

void obstacles_done(struct obstacles *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->v[i].text);
	list_done(p);
}

static int look_at_server(struct look *l, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;

	if (conn_rows(l->c, &r, "SELECT VERSION(), CURRENT_USER(), @@datadir, @@read_only, "
				"@@log_bin = 0 OR @@log_bin_trust_function_creators, @@max_allowed_packet, "
				"@@lower_case_table_names", e))
		return -1;
	row = mysql_fetch_row(r);
	if (!row)
		return conn_fail(l->c, e);
	str_cut(l->version, sizeof(l->version), str_or(row[0], ""));
	str_cut(l->account, sizeof(l->account), str_or(row[1], ""));
	str_cut(l->datadir, sizeof(l->datadir), str_or(row[2], ""));
	l->read_only = !str_eq(row[3], "0") && !str_ieq(row[3], "OFF");
	l->trusting = str_eq(row[4], "1");
	l->max_packet = strtoll(str_or(row[5], "0"), NULL, 10);
	l->casing = strtoll(str_or(row[6], "0"), NULL, 10);
	return 0;
}

static bool super(const struct look *l)
{
	return grants_has(&l->grants, "SUPER", true);
}

/* Ask with the text of a need as a literal at the end; is there a row? */
static int answers(struct look *l, const char *sql, const char *text, bool *ret, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	CLEANUP(buf_done) struct buf b = {0};

	buf_init(&b, SQL_MAX);
	buf_adds(&b, sql);
	sql_string(&b, text, strlen(text));
	if (buf_check(&b, "a question", e) || conn_rows(l->c, &r, b.p, e))
		return -1;
	*ret = mysql_num_rows(r) > 0;
	return 0;
}

/* Of MariaDB only; since which version. */
static int since(const char *feature)
{
	static const struct {
		const char *feature;
		int version;
	} list[] = {{"sequences", 1003}, {"system versioning", 1003}, {"type uuid", 1007}, {"type inet6", 1005},
		    {"type inet4", 1010}, {"type vector", 1107}, {"type xmltype", 1203}};

	for (size_t i = 0; i < ARRAY_LEN(list); i++)
		if (str_eq(list[i].feature, feature))
			return list[i].version;
	return 0;
}

static int check_encryption(struct look *l, const struct need *n, struct err *e)
{
	bool there;

	if (answers(l, "SELECT 1 FROM information_schema.PLUGINS WHERE PLUGIN_STATUS = 'ACTIVE' AND PLUGIN_TYPE = ", "ENCRYPTION",
		    &there, e))
		return -1;
	if (!there)
		obstacle_add(l->obstacles, ERR_CONFLICT, "%s is encrypted (ENCRYPTED=YES)%s, and the server here (%s) has no plugin with "
			     "keys: load one, such as file_key_management", n->first, n->count > 1 ? ", as others are" : "", l->version);
	return 0;
}

static int check_feature(struct look *l, const struct need *n, struct err *e)
{
	int from = since(n->text);
	struct version here = version_of(l->version);

	if (str_eq(n->text, "encryption"))
		return check_encryption(l, n, e);
	if (!here.maria || here.number < from)
		obstacle_add(l->obstacles, ERR_CONFLICT, "%s needs %s (MariaDB %d.%d or newer); the server here is %s", n->first,
			    n->text, from / 100, from % 100, l->version);
	return 0;
}

static void lacks(struct look *l, const struct need *n, const char *what)
{
	obstacle_add(l->obstacles, ERR_CONFLICT, "the server here (%s) has no %s \"%s\", which %s needs%s", l->version, what, n->text,
		    n->first, n->count > 1 ? ", and others" : "");
}

static int check_engine(struct look *l, const struct need *n, struct err *e)
{
	bool there;

	if (answers(l, "SELECT 1 FROM information_schema.ENGINES WHERE SUPPORT IN ('YES', 'DEFAULT') AND ENGINE = ", n->text,
		    &there, e))
		return -1;
	if (!there)
		lacks(l, n, "storage engine");
	return 0;
}

static int check_plugin(struct look *l, const struct need *n, const char *what, const char *ask, struct err *e)
{
	bool there;

	if (answers(l, ask, n->text, &there, e))
		return -1;
	if (!there)
		lacks(l, n, what);
	return 0;
}

static int check_charset(struct look *l, const struct need *n, struct err *e)
{
	bool there;

	if (answers(l, "SELECT 1 FROM information_schema.CHARACTER_SETS WHERE CHARACTER_SET_NAME = ", n->text, &there, e))
		return -1;
	/* an old name: the server still takes it */
	if (!there && !str_ieq(n->text, "utf8") && !str_ieq(n->text, "utf8mb3"))
		lacks(l, n, "character set");
	return 0;
}

static int check_collation(struct look *l, const struct need *n, struct err *e)
{
	CLEANUP(freep) char *mb3 = str_starts(n->text, "utf8_") ? xasprintf("utf8mb3_%s", n->text + 5) : xstrdup(n->text);
	struct err no_such_column;
	bool there;

	if (answers(l, "SELECT 1 FROM information_schema.COLLATIONS WHERE COLLATION_NAME = ", n->text, &there, e))
		return -1;
	/* MariaDB 10.10 and later names some of them only there */
	if (!there && answers(l, "SELECT 1 FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY WHERE "
				 "FULL_COLLATION_NAME = ", mb3, &there, &no_such_column))
		there = false;
	if (!there && answers(l, "SELECT 1 FROM information_schema.COLLATIONS WHERE COLLATION_NAME = ", mb3, &there, e))
		return -1;
	if (!there)
		lacks(l, n, "collation");
	return 0;
}

static int check_mode(struct look *l, const struct need *n, struct err *e)
{
	CLEANUP(buf_done) struct buf b = {0};
	struct err why;

	buf_init(&b, SQL_MAX);
	buf_adds(&b, "SET SESSION sql_mode=");
	sql_string(&b, n->text, strlen(n->text));
	if (buf_check(&b, "a question", e))
		return -1;
	if (conn_exec(l->c, b.p, &why))
		obstacle_add(l->obstacles, ERR_CONFLICT, "%s was made with an sql_mode that the server here (%s) does not know: %s",
			    n->first, l->version, why.msg);
	return conn_exec(l->c, "SET SESSION sql_mode=''", e);
}

/* Who may not read mysql.user cannot tell: then the server will. */
static bool definer_exists(struct look *l, const char *definer)
{
	const char *at = strrchr(definer, '@');
	CLEANUP(freep) char *user = at ? xstrndup(definer, (size_t)(at - definer)) : xstrdup(definer);
	CLEANUP(buf_done) struct buf b = {0};
	bool there = true;
	struct err ignored;

	buf_init(&b, SQL_MAX);
	buf_adds(&b, "SELECT 1 FROM mysql.user WHERE User = ");
	sql_string(&b, user, strlen(user));
	buf_adds(&b, " AND Host = ");
	if (buf_check(&b, "a question", &ignored) || answers(l, b.p, at ? at + 1 : "", &there, &ignored))
		return true;
	return there;
}

static void check_definer(struct look *l, struct need *n)
{
	static const char *const rights[] = {"SUPER", "SET USER", "SET_USER_ID", "SET_ANY_DEFINER"};
	bool may = str_eq(n->text, l->account);

	for (size_t i = 0; i < ARRAY_LEN(rights); i++)
		may = may || grants_has(&l->grants, rights[i], true);
	n->changed = !may || (!l->p->users && !definer_exists(l, n->text));
}

static int check_need(struct look *l, struct need *n, struct err *e)
{
	switch (n->kind) {
	case NEED_ENGINE:
		return check_engine(l, n, e);
	case NEED_CHARSET:
		return check_charset(l, n, e);
	case NEED_COLLATION:
		return check_collation(l, n, e);
	case NEED_MODE:
		return check_mode(l, n, e);
	case NEED_FEATURE:
		return check_feature(l, n, e);
	case NEED_PARSER:
		return check_plugin(l, n, "full-text parser", "SELECT 1 FROM information_schema.PLUGINS WHERE PLUGIN_STATUS = 'ACTIVE' AND "
							      "PLUGIN_TYPE = 'FTPARSER' AND PLUGIN_NAME = ", e);
	case NEED_SEQUENCE:
		return 0; /* of the dump itself */
	default:
		check_definer(l, n);
		return 0;
	}
}

static bool has_program(const struct needs *n, const char *kind)
{
	for (size_t i = 0; i < n->programs.n; i++)
		if (str_starts(n->programs.v[i].kind, kind))
			return true;
	return false;
}

struct lacking {
	const struct grants *grants;
	struct buf *rights;
	const char *before;   /* the next one */
};

static void want(struct lacking *l, const char *what, bool needed)
{
	if (!needed || grants_has(l->grants, what, false))
		return;
	buf_addf(l->rights, "%s%s", l->before, what);
	l->before = ", ";
}

static void check_rights(const struct look *l, const struct grants *grants, const char *schema, struct buf *rights)
{
	struct lacking lacking = {grants, rights, rights->len ? "; nor " : ""};
	size_t before = rights->len;
	static const char *const always[] = {"SELECT", "INSERT", "CREATE", "DROP", "ALTER"};
	const struct needs *n = l->needs;
	bool routines = has_program(n, "FUNCTION") || has_program(n, "PROCEDURE") || has_program(n, "PACKAGE");

	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		want(&lacking, always[i], true);
	want(&lacking, "REFERENCES", n->foreign_keys);
	want(&lacking, "CREATE VIEW", has_program(n, "VIEW"));
	want(&lacking, "TRIGGER", has_program(n, "TRIGGER"));
	want(&lacking, "EVENT", has_program(n, "EVENT"));
	want(&lacking, "CREATE ROUTINE", routines);
	want(&lacking, "ALTER ROUTINE", routines);
	if (rights->len == before)
		return;
	buf_adds(rights, " on ");
	sql_ident(rights, schema);
}

static int check_all_rights(struct look *l, struct buf *rights, struct err *e)
{
	const char *const *schemas = l->p->schemas;

	for (size_t i = 0; i < ARRAY_LEN(l->p->schemas) && schemas[i]; i++) {
		CLEANUP(grants_done) struct grants g = {0};

		if (grants_read(&g, l->c, schemas[i], e))
			return -1;
		check_rights(l, &g, schemas[i], rights);
	}
	if (l->p->users && !grants_has(&l->grants, "CREATE USER", true))
		buf_addf(rights, "%sCREATE USER on *.*", rights->len ? "; nor " : "");
	return 0;
}

/* What a restore that goes on has loaded already, or one that begins anew will drop. */
static uint64_t bytes_there(struct look *l)
{
	CLEANUP(buf_done) struct buf sql;
	CLEANUP(freep) char *text = NULL;

	buf_init(&sql, 4096);
	buf_adds(&sql, "SELECT CAST(COALESCE(SUM(DATA_LENGTH + INDEX_LENGTH), 0) AS UNSIGNED) FROM information_schema.TABLES WHERE "
		 "TABLE_SCHEMA = ");
	sql_string(&sql, l->p->schemas[0], strlen(l->p->schemas[0]));
	text = ask_text(l->c, sql.p, 0);
	return strtoull(text, NULL, 10);
}

static void check_space(struct look *l)
{
	char need[UNITS_TEXT], have[UNITS_TEXT];
	struct statvfs fs;
	uint64_t room;

	if (!l->p->local || !*l->datadir || statvfs(l->datadir, &fs))
		return;
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (l->p->bytes > room && l->p->bytes > room + bytes_there(l))
		obstacle_add(l->obstacles, ERR_SPACE, "%s: the database needs about %s, %s are free", l->datadir,
			    units_bytes(need, l->p->bytes), units_bytes(have, room));
}

/* The packet is the statement, and a byte before it. */
static void check_packet(struct look *l)
{
	char longest[UNITS_TEXT], has[UNITS_TEXT];
	uint64_t enough = 1 << 20;

	if (!l->max_packet || l->p->longest < (uint64_t)l->max_packet)
		return;
	while (enough <= l->p->longest)
		enough *= 2;
	obstacle_add(l->obstacles, ERR_CONFLICT, "table `%s` has a row or value of %s; max_allowed_packet of the server here is %s: SET "
		     "GLOBAL max_allowed_packet=%" PRIu64 " (and in its configuration, to stay)", l->p->longest_in,
		     units_bytes(longest, l->p->longest), units_bytes(has, (uint64_t)l->max_packet), enough);
}

/* Names that the server does not tell apart, or does not keep. */
static int check_names(struct look *l, struct err *e)
{
	const struct casing_pair *pair;
	struct casing_pairs same = {0};
	int rc = casing_read(l->c, l->needs, l->casing == 1, &same, e);

	for (size_t i = 0; i < same.n; i++) {
		pair = &same.v[i];
		obstacle_add(l->obstacles, ERR_CONFLICT, "`%s` and `%s` are one name for the server here (lower_case_table_names=%d): "
			     "restore one of them alone, or into a server that tells them apart", pair->a, pair->b, (int)l->casing);
	}
	for (size_t i = 0; rc == 0 && l->p->in_place && i < l->needs->names.n; i++)
		if (l->needs->names.v[i].here)
			obstacle_add(l->obstacles, ERR_CONFLICT, "`%s` would be called `%s` by the server here "
				     "(lower_case_table_names=1), so it cannot take its place: restore beside it, with --to-db",
				     l->needs->names.v[i].name, l->needs->names.v[i].here);
	list_done(&same);
	return rc;
}

/* A transaction of a restore is a member of rows, or a row that is longer. */
static void check_cluster(struct look *l)
{
	uint64_t longest = 2 * l->p->longest, least = longest > MEMBER_BYTES ? longest : MEMBER_BYTES;
	struct cluster k;

	cluster_look(&k, l->c);
	if (k.max_rows > 0 && k.max_rows < MEMBER_ROWS)
		obstacle_add(l->obstacles, ERR_CONFLICT, "the cluster takes %" PRId64 " rows in a transaction (wsrep_max_ws_rows), a restore "
			     "needs more: SET GLOBAL wsrep_max_ws_rows=0 while it runs", k.max_rows);
	if (k.max_bytes > 0 && (uint64_t)k.max_bytes < least)
		obstacle_add(l->obstacles, ERR_CONFLICT, "the cluster takes %" PRId64 " bytes in a transaction (wsrep_max_ws_size), a restore "
			     "needs up to %" PRIu64 ": SET GLOBAL wsrep_max_ws_size=2147483647 while it runs", k.max_bytes, least);
}

static void check_settings(struct look *l)
{
	if (l->read_only && !super(l) && !grants_has(&l->grants, "READ_ONLY ADMIN", true))
		obstacle_add(l->obstacles, ERR_FORBIDDEN, "the server is read_only and %s may not write to it all the same (a replica? "
			    "restore on its primary, or as an account with READ_ONLY ADMIN)", l->account);
	if (!l->trusting && !super(l) && (has_program(l->needs, "FUNCTION") || has_program(l->needs, "TRIGGER")))
		obstacle_add(l->obstacles, ERR_FORBIDDEN, "%s may not make functions and triggers: the binary log is on (error 1419); SET "
			    "GLOBAL log_bin_trust_function_creators=1, or restore as an account with SUPER", l->account);
}

/* With it a server makes another table than it is told to, and says nothing. Our sessions switch it off where they may. */
static void check_enforced(struct look *l)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;

	if (conn_rows(l->c, &r, "SELECT @@enforce_storage_engine", NULL))
		return; /* MySQL has no such thing */
	row = mysql_fetch_row(r);
	for (size_t i = 0; row && !str_empty(row[0]) && i < l->needs->n; i++)
		if (l->needs->v[i].kind == NEED_ENGINE && !str_ieq(l->needs->v[i].text, row[0])) {
			obstacle_add(l->obstacles, ERR_CONFLICT, "%s is %s, and the server here makes every table %s "
				     "(enforce_storage_engine): SET GLOBAL enforce_storage_engine=NULL, or restore as an account "
				     "with SUPER", l->needs->v[i].first, l->needs->v[i].text, row[0]);
			return;
		}
}

static void check_events(struct look *l)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;

	if (!has_program(l->needs, "EVENT") || conn_rows(l->c, &r, "SELECT @@event_scheduler", NULL))
		return;
	row = mysql_fetch_row(r);
	if (row && str_ieq(row[0], "DISABLED"))
		obstacle_add(l->obstacles, ERR_CONFLICT, "the server here takes no events (event_scheduler=DISABLED): start it with "
			     "event_scheduler=OFF");
}

static void check_accounts(struct look *l)
{
	if (l->p->users && version_before(l->version, VERSION_MYSQL_ACCOUNTS, VERSION_MARIA_ACCOUNTS))
		obstacle_add(l->obstacles, ERR_CONFLICT, "the server here (%s) cannot be given the accounts of a backup, which "
			     "takes MySQL 5.7 or MariaDB 10.2: restore without --with-users, and make them by hand", l->version);
}

int preflight_server(const struct preflight *p, struct needs *needs, struct obstacles *obstacles, struct buf *rights,
		     struct err *e)
{
	CLEANUP(conn_freep) struct conn *c = NULL;
	struct look l = {.p = p, .needs = needs, .obstacles = obstacles};
	int rc = 0;

	if (conn_open(&c, p->access, e))
		return -1;
	l.c = c;
	if (look_at_server(&l, e) || grants_read(&l.grants, c, p->schemas[0], e))
		rc = -1;
	for (size_t i = 0; rc == 0 && i < needs->n; i++)
		rc = check_need(&l, &needs->v[i], e);
	if (rc == 0)
		rc = check_all_rights(&l, rights, e);
	if (rc == 0 && l.casing)
		rc = check_names(&l, e);
	if (rc == 0) {
		check_space(&l);
		check_packet(&l);
		check_settings(&l);
		check_enforced(&l);
		check_events(&l);
		check_accounts(&l);
		check_cluster(&l);
	}
	grants_done(&l.grants);
	return rc;
}
