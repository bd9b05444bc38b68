/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/watch.h"

#include <ctype.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

#include "shared/clock.h"
#include "shared/list.h"
#include "shared/mem.h"
#include "shared/pool.h"
#include "shared/str.h"

enum { LOOK_MS = 1000 };

struct held {
	char *db, *table;
	unsigned readers;
};
struct kept {
	const char *db, *table;
};
struct watched {
	unsigned long id;
	int fd;
};
/* A statement that waits for a table of ours. */
struct waiter {
	char *id;
	int64_t since;   /* first seen, clock_mono_ms */
	bool seen;       /* at the last look */
};
struct watch {
	struct watch_opts o;
	struct conn *c;  /* the thread's; NULL: lost, to be opened again */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t change;
	/* under the lock */
	bool stop;
	struct { LIST_OF(struct held); } held; /* a few */
	struct { LIST_OF(struct kept); } kept; /* perhaps all tables: nobody searches it but for a waiter */
	struct pool names;                     /* of those */
	struct { LIST_OF(struct watched); } conns;
	struct hot met;                        /* for which it gave up */
	/* the thread's */
	struct { LIST_OF(struct waiter); } waiters;
};

/* ---- what is held */

static void forget_held(struct watch *w, size_t i)
{
	free(w->held.v[i].db);
	free(w->held.v[i].table);
	w->held.v[i] = w->held.v[--w->held.n];
}

static struct held *find_held(struct watch *w, const char *db, const char *table)
{
	for (size_t i = 0; i < w->held.n; i++)
		if (str_eq(w->held.v[i].db, db) && str_eq(w->held.v[i].table, table))
			return &w->held.v[i];
	return NULL;
}

void watch_hold(struct watch *w, const char *db, const char *table)
{
	struct held *h;

	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	h = find_held(w, db, table);
	if (!h) {
		h = list_push(&w->held);
		*h = (struct held){.db = xstrdup(db), .table = xstrdup(table)};
	}
	h->readers++;
	pthread_mutex_unlock(&w->lock);
}

void watch_release(struct watch *w, const char *db, const char *table)
{
	struct held *h;

	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	h = find_held(w, db, table);
	if (h && --h->readers == 0)
		forget_held(w, (size_t)(h - w->held.v));
	pthread_mutex_unlock(&w->lock);
}

void watch_keep(struct watch *w, const char *db, const char *table)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	*list_push(&w->kept) = (struct kept){.db = pool_same(&w->names, db), .table = pool_add(&w->names, table)};
	pthread_mutex_unlock(&w->lock);
}

void watch_conn(struct watch *w, const struct conn *c)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	*list_push(&w->conns) = (struct watched){mysql_thread_id(c->my), (int)mysql_get_socket(c->my)};
	pthread_mutex_unlock(&w->lock);
}

void watch_forget(struct watch *w, const struct conn *c)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	for (size_t i = 0; i < w->conns.n; i++)
		if (w->conns.v[i].id == mysql_thread_id(c->my)) {
			w->conns.v[i] = w->conns.v[--w->conns.n];
			break;
		}
	pthread_mutex_unlock(&w->lock);
}

void watch_met(struct watch *w, struct hot *ret)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	for (size_t i = 0; i < w->met.n; i++)
		hot_add(ret, w->met.v[i].db, w->met.v[i].table);
	pthread_mutex_unlock(&w->lock);
}

/* ---- who waits */

static bool in_word(unsigned char c)
{
	return isalnum(c) || c == '_' || c == '$' || c >= 0x80;
}

/* Is name a word of its own in the statement? */
static bool mentions(const char *sql, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = strcasestr(sql, name); at; at = strcasestr(at + 1, name))
		if ((at == sql || !in_word((unsigned char)at[-1]) || !in_word((unsigned char)name[0])) &&
		    (!in_word((unsigned char)at[n]) || !in_word((unsigned char)name[n - 1])))
			return true;
	return false;
}

/* Does a waiting statement, whose default schema is db, want this table? A DROP DATABASE names none. */
static bool wants(const struct kept *h, const char *db, const char *sql)
{
	return (str_ieq(db, h->db) || mentions(sql, h->db)) &&
	       (mentions(sql, h->table) || (mentions(sql, "DROP") && (mentions(sql, "DATABASE") || mentions(sql, "SCHEMA"))));
}

static bool wanted(const struct watch *w, MYSQL_ROW row, struct kept *ret)
{
	const char *db = str_or(row[1], ""), *sql = str_or(row[2], "");

	for (size_t i = 0; i < w->conns.n; i++) /* a reader of ours waits for somebody else */
		if (w->conns.v[i].id == strtoul(row[0], NULL, 10))
			return false;
	for (size_t i = 0; i < w->held.n; i++) {
		*ret = (struct kept){w->held.v[i].db, w->held.v[i].table};
		if (wants(ret, db, sql))
			return true;
	}
	for (size_t i = 0; i < w->kept.n; i++) {
		*ret = w->kept.v[i];
		if (wants(ret, db, sql))
			return true;
	}
	return false;
}

static struct waiter *waiter_of(struct watch *w, const char *id)
{
	struct waiter *k;

	for (size_t i = 0; i < w->waiters.n; i++)
		if (str_eq(w->waiters.v[i].id, id))
			return &w->waiters.v[i];
	k = list_push(&w->waiters);
	*k = (struct waiter){.id = xstrdup(id), .since = clock_mono_ms()};
	return k;
}

static void forget_unseen(struct watch *w)
{
	for (size_t i = 0; i < w->waiters.n;) {
		struct waiter *k = &w->waiters.v[i];

		if (k->seen) {
			k->seen = false;
			i++;
		} else {
			free(k->id);
			*k = w->waiters.v[--w->waiters.n];
		}
	}
}

/* One line of the server's list. True: it has waited long enough, and *why says for what. */
static bool judge(struct watch *w, MYSQL_ROW row, struct err *why)
{
	char table[256] = "", db[256] = "";
	struct kept h;
	struct waiter *k;

	pthread_mutex_lock(&w->lock);
	if (wanted(w, row, &h)) {
		str_cut(db, sizeof(db), h.db);
		str_cut(table, sizeof(table), h.table);
	}
	pthread_mutex_unlock(&w->lock);
	if (!*table)
		return false;
	k = waiter_of(w, row[0]);
	k->seen = true;
	if (clock_mono_ms() - k->since + LOOK_MS < w->o.wait_s * 1000)
		return false;
	pthread_mutex_lock(&w->lock);
	hot_add(&w->met, db, table);
	pthread_mutex_unlock(&w->lock);
	str_clean(db);
	str_clean(table);
	err_fill(why, ERR_CONFLICT, 0, "another statement waits for the table `%s`.`%s`, which this backup reads "
		 "(limits.ddl_wait_s=%lld)", db, table, (long long)w->o.wait_s);
	return true;
}

static bool look(struct watch *w, struct err *why)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	bool due = false;
	MYSQL_ROW row;

	if (!w->c && conn_open(&w->c, &w->o.access[0], NULL))
		return false;
	if (conn_rows(w->c, &r, "SELECT ID, DB, INFO FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Waiting for table%' "
				"OR STATE LIKE 'Waiting for schema%'", NULL)) {
		conn_free(TAKE(w->c));
		return false;
	}
	while (!due && (row = mysql_fetch_row(r)))
		due = judge(w, row, why);
	forget_unseen(w);
	return due;
}

/* The server gives up locks at a KILL even when the thread writes to a socket that nobody reads; the
 * shutdown wakes a reader of ours. */
static void cut_all(struct watch *w)
{
	pthread_mutex_lock(&w->lock);
	for (size_t i = 0; i < w->conns.n; i++) {
		char sql[64];

		snprintf(sql, sizeof(sql), "KILL CONNECTION %lu", w->conns.v[i].id);
		if (w->c)
			(void)!conn_exec(w->c, sql, NULL);
		shutdown(w->conns.v[i].fd, SHUT_RDWR);
	}
	pthread_mutex_unlock(&w->lock);
}

/* ---- the thread */

/* False: it is time to stop. */
static bool sleep_a_while(struct watch *w)
{
	struct timespec until;
	bool stop;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += LOOK_MS / 1000;
	pthread_mutex_lock(&w->lock);
	while (!w->stop && !pthread_cond_clockwait(&w->change, &w->lock, CLOCK_MONOTONIC, &until))
		;
	stop = w->stop;
	pthread_mutex_unlock(&w->lock);
	return !stop;
}

static void *work(void *p)
{
	struct watch *w = p;
	struct err why;

	mysql_thread_init();
	while (sleep_a_while(w))
		if (look(w, &why)) {
			halt_set(w->o.halt, &why);
			cut_all(w);
			break;
		}
	mysql_thread_end();
	return NULL;
}

static void forget(struct watch *w)
{
	while (w->held.n)
		forget_held(w, 0);
	list_done(&w->held);
	list_done(&w->kept);
	pool_done(&w->names);
	list_done(&w->conns);
	hot_done(&w->met);
	for (size_t i = 0; i < w->waiters.n; i++)
		free(w->waiters.v[i].id);
	list_done(&w->waiters);
	pthread_cond_destroy(&w->change);
	pthread_mutex_destroy(&w->lock);
	conn_free(w->c);
	free(w);
}

int watch_start(struct watch **ret, const struct watch_opts *o, struct err *e)
{
	struct watch *w;
	struct conn *c;
	sigset_t all, old;
	int failed;

	if (conn_open(&c, o->access, e))
		return -1;
	w = xcalloc(1, sizeof(*w));
	w->o = *o;
	w->c = c;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->change, NULL);
	/* signals stay with the main thread */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	failed = pthread_create(&w->thread, NULL, work, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (failed) {
		forget(w);
		return err_set(e, ERR_IO, "start a thread: %s", strerror(failed));
	}
	*ret = w;
	return 0;
}

void watch_stop(struct watch *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->change);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	forget(w);
}
