/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/position.h"

#include <stdlib.h>
#include <string.h>

#include "noded/mysql/sqltext.h"
#include "shared/mem.h"
#include "shared/str.h"

char *ask_text(struct conn *c, const char *sql, unsigned column)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;

	if (conn_rows(c, &r, sql, NULL) || mysql_num_fields(r) <= column)
		return xstrdup("");
	row = mysql_fetch_row(r);
	return xstrdup(row ? str_or(row[column], "") : "");
}

static bool is_on(struct conn *c, const char *sql, unsigned column)
{
	CLEANUP(freep) char *text = ask_text(c, sql, column);

	return *text && !str_eq(text, "0") && !str_ieq(text, "OFF") && !str_ieq(text, "NO");
}

/* ---- the binary log */

/* Each server has another subset of these. File, Position, Binlog_Do_DB, Binlog_Ignore_DB, ... */
static const char *const status_statements[] = {"SHOW BINARY LOG STATUS", "SHOW MASTER STATUS"};

static bool read_status(struct conn *c, MYSQL_RES **ret, MYSQL_ROW *row)
{
	for (size_t i = 0; i < ARRAY_LEN(status_statements); i++) {
		if (conn_rows(c, ret, status_statements[i], NULL))
			continue;
		*row = mysql_num_fields(*ret) >= 4 ? mysql_fetch_row(*ret) : NULL;
		return *row != NULL;
	}
	return false;
}

/* Newer servers have the filters as variables, which anybody may read. */
static bool read_filters(struct conn *c, bool *filtered)
{
	CLEANUP(conn_res_freep) MYSQL_RES *vars = NULL, *status = NULL;
	MYSQL_ROW row;

	if (conn_rows(c, &vars, "SELECT @@binlog_do_db, @@binlog_ignore_db", NULL) == 0 && (row = mysql_fetch_row(vars))) {
		*filtered = !str_empty(row[0]) || !str_empty(row[1]);
		return true;
	}
	if (!read_status(c, &status, &row))
		return false;
	*filtered = !str_empty(row[2]) || !str_empty(row[3]);
	return true;
}

static const char *why_not(const struct binlog *b, struct conn *c)
{
	bool filtered;

	if (!b->on)
		return "the binary log is off";
	if (!b->tells)
		return "the server does not tell the position of a snapshot";
	if (!read_filters(c, &filtered))
		return b->maria ? "whether the binary log leaves databases out is not known (GRANT BINLOG MONITOR)"
				: "whether the binary log leaves databases out is not known (GRANT REPLICATION CLIENT)";
	if (filtered)
		return "the binary log leaves databases out (binlog_do_db, binlog_ignore_db)";
	if (is_on(c, "SELECT @@log_slave_updates", 0))
		return "";
	if (is_on(c, "SHOW GLOBAL STATUS LIKE 'Slaves_running'", 1) || is_on(c, "SHOW GLOBAL STATUS LIKE 'Slave_running'", 1))
		return "this replica does not log what it replicates (log_slave_updates)";
	if (is_on(c, "SELECT @@wsrep_on", 0))
		return "this node of a cluster does not log what comes from the others (log_slave_updates)";
	return "";
}

void binlog_look(struct binlog *ret, struct conn *c)
{
	CLEANUP(freep) char *version = ask_text(c, "SELECT VERSION()", 0);
	CLEANUP(freep) char *tells = ask_text(c, "SHOW STATUS LIKE 'Binlog_snapshot_file'", 0);

	*ret = (struct binlog){.maria = strstr(version, "MariaDB") != NULL, .tells = *tells != '\0'};
	ret->on = is_on(c, "SELECT @@log_bin", 0);
	str_cut(ret->why_not, sizeof(ret->why_not), why_not(ret, c));
}

char *place_of_snapshot(struct conn *c)
{
	CLEANUP(freep) char *file = ask_text(c, "SHOW STATUS LIKE 'Binlog_snapshot_file'", 1);
	CLEANUP(freep) char *offset = ask_text(c, "SHOW STATUS LIKE 'Binlog_snapshot_position'", 1);

	return xasprintf("%s:%s", file, offset);
}

/* The server keeps the GTID of the end of its log at hand: it is that of the snapshot while the log
 * still ends there, looked at after the GTID. "" when it does not, or the account may not look. */
static char *gtid_of_end(const struct position *p, struct conn *c)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	CLEANUP(freep) char *gtid = ask_text(c, "SELECT @@GLOBAL.gtid_binlog_pos", 0);
	MYSQL_ROW row;

	if (!read_status(c, &r, &row) || !str_eq(str_or(row[0], ""), p->file) || !str_eq(str_or(row[1], ""), p->offset))
		return xstrdup("");
	return TAKE(gtid);
}

/* For any other place the server reads its log from the beginning of the file, which may take seconds. */
static char *gtid_of_place(const struct position *p, struct conn *c)
{
	CLEANUP(buf_done) struct buf sql = {0};

	buf_init(&sql, 4096);
	buf_adds(&sql, "SELECT BINLOG_GTID_POS(");
	sql_string(&sql, p->file, strlen(p->file));
	buf_addf(&sql, ", %llu)", strtoull(p->offset, NULL, 10));
	return ask_text(c, sql.p, 0);
}

void position_of_snapshot(struct position *ret, struct conn *c)
{
	ret->file = ask_text(c, "SHOW STATUS LIKE 'Binlog_snapshot_file'", 1);
	ret->offset = ask_text(c, "SHOW STATUS LIKE 'Binlog_snapshot_position'", 1);
	ret->gtid = *ret->file ? gtid_of_end(ret, c) : xstrdup("");
	if (*ret->file && !*ret->gtid) {
		free(ret->gtid);
		ret->gtid = gtid_of_place(ret, c);
	}
}

void position_of_now(struct position *ret, struct conn *c)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;
	bool known = read_status(c, &r, &row);

	ret->file = xstrdup(known ? str_or(row[0], "") : "");
	ret->offset = xstrdup(known ? str_or(row[1], "") : "");
	ret->gtid = ask_text(c, "SELECT @@GLOBAL.gtid_executed", 0);
	if (!*ret->gtid) {
		free(ret->gtid);
		ret->gtid = ask_text(c, "SELECT @@GLOBAL.gtid_binlog_pos", 0);
	}
}

void position_done(struct position *p)
{
	free(p->file);
	free(p->offset);
	free(p->gtid);
	*p = (struct position){0};
}

/* ---- the source of a replica */

static char *field(MYSQL_RES *r, MYSQL_ROW row, const char *const *names)
{
	const MYSQL_FIELD *f = mysql_fetch_fields(r);

	for (; *names; names++)
		for (unsigned i = 0; i < mysql_num_fields(r); i++)
			if (str_ieq(f[i].name, *names))
				return xstrdup(str_or(row[i], ""));
	return xstrdup("");
}

void source_look(struct source *ret, struct conn *c, bool maria)
{
	static const char *const ask_maria[] = {"SHOW ALL SLAVES STATUS", "SHOW SLAVE STATUS", NULL};
	static const char *const ask_mysql[] = {"SHOW REPLICA STATUS", "SHOW SLAVE STATUS", NULL};
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;
	bool asked = false;

	*ret = (struct source){0};
	for (const char *const *sql = maria ? ask_maria : ask_mysql; *sql && !asked; sql++)
		asked = conn_rows(c, &r, *sql, NULL) == 0;
	if (!asked) {
		ret->hidden = is_on(c, "SHOW GLOBAL STATUS LIKE 'Slaves_running'", 1) ||
			      is_on(c, "SHOW GLOBAL STATUS LIKE 'Slave_running'", 1);
		return;
	}
	while ((row = mysql_fetch_row(r))) {
		struct channel *k = list_push(&ret->channels);

		k->name = field(r, row, (const char *const[]){"Connection_name", "Channel_Name", NULL});
		k->host = field(r, row, (const char *const[]){"Master_Host", "Source_Host", NULL});
		k->port = field(r, row, (const char *const[]){"Master_Port", "Source_Port", NULL});
		k->file = field(r, row, (const char *const[]){"Relay_Master_Log_File", "Relay_Source_Log_File", NULL});
		k->offset = field(r, row, (const char *const[]){"Exec_Master_Log_Pos", "Exec_Source_Log_Pos", NULL});
	}
}

void source_of_snapshot(struct source *s, struct conn *c)
{
	/* MariaDB writes this table in the transaction that it replicates, so the snapshot has its own
	 * position in it, whatever the threads do meanwhile. The savepoint gives up the table's lock. */
	if ((!s->channels.n && !s->hidden) || conn_exec(c, "SAVEPOINT felloe_source", NULL)) {
		s->gtid = xstrdup("");
		return;
	}
	s->gtid = ask_text(c, "SELECT GROUP_CONCAT(CONCAT_WS('-', p.domain_id, p.server_id, p.seq_no) ORDER BY p.domain_id) "
			      "FROM mysql.gtid_slave_pos p JOIN (SELECT domain_id, MAX(sub_id) AS sub_id FROM mysql.gtid_slave_pos "
			      "GROUP BY domain_id) last ON last.domain_id = p.domain_id AND last.sub_id = p.sub_id", 0);
	(void)!conn_exec(c, "ROLLBACK TO SAVEPOINT felloe_source", NULL);
}

void source_done(struct source *s)
{
	for (size_t i = 0; i < s->channels.n; i++) {
		free(s->channels.v[i].name);
		free(s->channels.v[i].host);
		free(s->channels.v[i].port);
		free(s->channels.v[i].file);
		free(s->channels.v[i].offset);
	}
	list_done(&s->channels);
	free(s->gtid);
	*s = (struct source){0};
}

void source_put(const struct source *s, struct json_out *o)
{
	if (!s->channels.n && !s->hidden) {
		json_put_null(o, "source");
		return;
	}
	json_obj(o, "source");
	json_put_str(o, "gtid", s->gtid);
	json_arr(o, "channels");
	for (size_t i = 0; i < s->channels.n; i++) {
		const struct channel *k = &s->channels.v[i];

		json_obj(o, NULL);
		json_put_str(o, "name", k->name);
		json_put_str(o, "host", k->host);
		json_put_int(o, "port", (int64_t)strtoull(k->port, NULL, 10));
		json_put_str(o, "file", k->file);
		json_put_int(o, "position", (int64_t)strtoull(k->offset, NULL, 10));
		json_end_obj(o);
	}
	json_end_arr(o);
	json_end_obj(o);
}
