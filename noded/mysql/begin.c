/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/begin.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/mem.h"
#include "shared/str.h"

enum { TRIES = 20, WAIT_MAX_S = 10 };

static void because(struct begin *b, const char *fmt, ...) PRINTF(2, 3);
static void because(struct begin *b, const char *fmt, ...)
{
	char text[ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (b->why.len)
		buf_adds(&b->why, "; ");
	buf_adds(&b->why, text);
}

/* What every session of a snapshot has set. */
static int prepare(struct conn *c, struct err *e)
{
	/* With the binary log on, rolling back to a savepoint may keep metadata locks unless this session
	 * does not write to it; not every account may say so. */
	(void)!conn_exec(c, "SET SESSION sql_log_bin=0", NULL);
	/* Under READ COMMITTED, which a server may have as its default, there is silently no snapshot. */
	return conn_exec(c, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", e);
}

static int start(struct conn *c, struct err *e)
{
	return conn_exec(c, "START TRANSACTION /*!40100 WITH CONSISTENT SNAPSHOT */", e);
}

static int start_all(const struct begin *b, struct err *e)
{
	for (unsigned i = 0; i < b->n; i++)
		if (start(b->conns[i], e))
			return -1;
	return 0;
}

/* ---- without a lock: equal positions in the binary log */

/* Every commit moves the position on: who sees the same one sees the same rows. */
static bool same_position(const struct begin *b)
{
	CLEANUP(freep) char *first = place_of_snapshot(b->conns[0]);

	for (unsigned i = 1; i < b->n; i++) {
		CLEANUP(freep) char *other = place_of_snapshot(b->conns[i]);

		if (!str_eq(first, other))
			return false;
	}
	return !str_eq(first, ":") && !str_eq(first, ":0");
}

static int by_binlog(struct begin *b, const char **method, struct err *e)
{
	if (*b->log->why_not) {
		because(b, "%s", b->log->why_not);
		return 0;
	}
	for (unsigned tries = 0; tries < TRIES; tries++) {
		if (start_all(b, e))
			return -1;
		if (same_position(b)) {
			*method = "binlog-snapshot";
			return 0;
		}
	}
	because(b, "%d times a commit came in between the connections' snapshots", TRIES);
	return 0;
}

/* ---- Percona: a copy of another session's view */

static int by_session(struct begin *b, const char **method, struct err *e)
{
	CLEANUP(freep) char *can = ask_text(b->conns[0], "SHOW VARIABLES LIKE 'have_snapshot_cloning'", 1);
	CLEANUP(freep) char *sql = xasprintf("START TRANSACTION WITH CONSISTENT SNAPSHOT FROM SESSION %lu",
					     mysql_thread_id(b->conns[0]->my));
	struct err why;

	if (!str_ieq(can, "YES"))
		return 0;
	if (start(b->conns[0], e))
		return -1;
	for (unsigned i = 1; i < b->n; i++)
		if (conn_exec(b->conns[i], sql, &why)) {
			because(b, "a session's snapshot could not be copied: %s", why.msg);
			return 0;
		}
	*method = "from-session";
	return 0;
}

/* ---- under a lock of some milliseconds */

/* A connection of its own for the lock: whatever goes wrong, closing it gives the lock up. */
static int open_lock(const struct begin *b, struct conn **ret, struct err *e)
{
	char sql[64];

	snprintf(sql, sizeof(sql), "SET SESSION lock_wait_timeout=%lld",
		 (long long)(b->wait_s < WAIT_MAX_S ? b->wait_s : WAIT_MAX_S));
	return conn_open(ret, b->access, e) || conn_exec(*ret, sql, e) ? -1 : 0;
}

static void lock_failed(struct begin *b, const char *what, const struct err *why)
{
	if (why->kind == ERR_FORBIDDEN)
		because(b, "the account may not use %s (GRANT RELOAD)", what);
	else if (why->kind == ERR_BUSY)
		because(b, "%s had to wait too long for others", what);
	else
		because(b, "%s failed: %s", what, why->msg);
}

static int by_stage(struct begin *b, const char **method, struct err *e)
{
	/* Up to here commits go on; the last step blocks them for as long as the snapshots take. */
	static const char *const steps[] = {"BACKUP STAGE START", "BACKUP STAGE FLUSH", "BACKUP STAGE BLOCK_DDL",
					    "BACKUP STAGE BLOCK_COMMIT"};
	CLEANUP(conn_freep) struct conn *lock = NULL;
	struct err why;

	if (!b->log->maria || mysql_get_server_version(b->conns[0]->my) < 100401)
		return 0;
	if (open_lock(b, &lock, &why)) {
		lock_failed(b, "a connection for BACKUP STAGE", &why);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		if (conn_exec(lock, steps[i], &why)) {
			lock_failed(b, "BACKUP STAGE", &why);
			return 0;
		}
	if (start_all(b, e))
		return -1;
	cluster_mark(b->cluster, lock, true);
	*method = "backup-stage";
	return conn_exec(lock, "BACKUP STAGE END", e);
}

/* For servers without BACKUP STAGE. The instance lock, where there is one, keeps DDL from
 * coming between; both are given up before the first row is read: nobody's DDL waits for the dump. */
static int by_read_lock(struct begin *b, const char **method, struct err *e)
{
	CLEANUP(conn_freep) struct conn *lock = NULL;
	struct err why;
	bool instance;

	if (b->log->maria && !b->only)
		return 0;
	if (open_lock(b, &lock, &why)) {
		lock_failed(b, "a connection for the lock", &why);
		return 0;
	}
	instance = conn_exec(lock, "LOCK INSTANCE FOR BACKUP", NULL) == 0;
	if (conn_exec(lock, "FLUSH TABLES WITH READ LOCK", &why)) {
		lock_failed(b, "FLUSH TABLES WITH READ LOCK", &why);
		return 0;
	}
	if (start_all(b, e))
		return -1;
	if (!b->log->tells)
		position_of_now(&b->position, lock);
	cluster_mark(b->cluster, lock, true);
	*method = instance ? "lock-instance" : "read-lock";
	return conn_exec(lock, "UNLOCK TABLES", e);
}

/* ---- one connection */

static int alone(struct begin *b, const char **method, struct err *e)
{
	*method = "single";
	b->n = 1;
	return start(b->conns[0], e);
}

int begin_best(struct begin *b, const char **method, struct err *e)
{
	static const struct {
		const char *name;
		int (*take)(struct begin *b, const char **method, struct err *e);
	} ways[] = {
		{"from-session", by_session}, {"binlog-snapshot", by_binlog}, {"backup-stage", by_stage},
		{"read-lock", by_read_lock},
	};
	/* MySQL tells its position only while somebody holds the writers off. */
	bool worth_it = b->n > 1 || (b->log->on && !b->log->tells);

	*method = NULL;
	for (unsigned i = 0; i < b->n; i++)
		if (prepare(b->conns[i], e))
			return err_wrap(e, "taking the snapshot");
	for (size_t i = 0; i < ARRAY_LEN(ways) && worth_it && !*method; i++)
		if ((!b->only || str_eq(b->only, ways[i].name)) && ways[i].take(b, method, e))
			return err_wrap(e, "taking the snapshot");
	if (!*method && alone(b, method, e))
		return err_wrap(e, "taking the snapshot");
	return 0;
}
