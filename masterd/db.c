/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/db.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "masterd/db_driver.h"
#include "masterd/db_sqlite.h"
#include "masterd/schema.h"
#include "shared/list.h"
#include "shared/mem.h"
#include "shared/str.h"

struct db {
	const struct db_driver *driver;
	void *conn;
};

static const struct db_driver *(*const drivers[])(void) = {db_sqlite};

static const struct db_driver *driver_of(const char *url)
{
	for (size_t i = 0; i < ARRAY_LEN(drivers); i++)
		if (str_starts(url, drivers[i]()->scheme))
			return drivers[i]();
	return NULL;
}

int db_open(struct db **ret, const char *url, bool readonly, struct err *e)
{
	const struct db_driver *driver = driver_of(url);
	void *conn;

	if (!driver)
		return err_set(e, ERR_CONFIG, "database \"%.40s\": not understood; use sqlite:/path/of/master.db", url);
	if (driver->open(&conn, url + strlen(driver->scheme), readonly, e))
		return -1;
	*ret = xcalloc(1, sizeof(**ret));
	(*ret)->driver = driver;
	(*ret)->conn = conn;
	return 0;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	db->driver->close(db->conn);
	free(db);
}

void db_closep(struct db **db)
{
	db_close(*db);
}

int db_migrate(struct db *db, struct err *e)
{
	int n;
	const char *const *texts = schema_migrations(&n);

	return db->driver->migrate(db->conn, texts, n, e);
}

int db_exec(struct db *db, const char *text, struct err *e)
{
	return db->driver->exec(db->conn, text, e);
}

int db_prepare(struct db *db, struct db_stmt *s, const char *text, struct err *e)
{
	s->driver = db->driver;
	s->h = NULL;
	return db->driver->prepare(db->conn, &s->h, text, e);
}

void db_done(struct db_stmt *s)
{
	if (s->h)
		s->driver->done(s->h);
	s->h = NULL;
}

void db_set_int(struct db_stmt *s, int at, int64_t v)
{
	s->driver->set_int(s->h, at, v);
}

void db_set_num(struct db_stmt *s, int at, double v)
{
	s->driver->set_num(s->h, at, v);
}

void db_set_str(struct db_stmt *s, int at, const char *v)
{
	s->driver->set_str(s->h, at, v);
}

void db_set_blob(struct db_stmt *s, int at, const void *p, size_t n)
{
	s->driver->set_blob(s->h, at, p, n);
}

int db_step(struct db_stmt *s, struct err *e)
{
	return s->driver->step(s->h, e);
}

int db_run(struct db_stmt *s, struct err *e)
{
	int got;

	while ((got = db_step(s, e)) > 0)
		;
	return got;
}

int64_t db_int(struct db_stmt *s, int col)
{
	return s->driver->get_int(s->h, col);
}

double db_num(struct db_stmt *s, int col)
{
	return s->driver->get_num(s->h, col);
}

const char *db_str(struct db_stmt *s, int col)
{
	return s->driver->get_str(s->h, col);
}

bool db_is_null(struct db_stmt *s, int col)
{
	return s->driver->is_null(s->h, col);
}

const void *db_blob(struct db_stmt *s, int col, size_t *n)
{
	return s->driver->get_blob(s->h, col, n);
}

bool db_in_transaction(struct db *db)
{
	return db->driver->in_transaction(db->conn);
}

int db_begin(struct db *db, struct err *e)
{
	return db->driver->begin(db->conn, e);
}

int db_rules(struct db *db, struct err *e)
{
	return db->driver->rules(db->conn, e);
}

int db_commit(struct db *db, struct err *e)
{
	return db->driver->commit(db->conn, e);
}

void db_rollback(struct db *db)
{
	db->driver->rollback(db->conn);
}

bool db_is_shared_url(const char *url)
{
	const struct db_driver *driver = driver_of(url);

	return driver && driver->shared;
}

int db_backup(struct db *db, const char *path, struct err *e)
{
	return db->driver->backup(db->conn, path, e);
}

struct db_pool {
	pthread_mutex_t lock;
	char *url;
	struct { LIST_OF(struct db *); } idle;
};

struct db_pool *db_pool_new(const char *url)
{
	struct db_pool *p = xcalloc(1, sizeof(*p));

	pthread_mutex_init(&p->lock, NULL);
	p->url = xstrdup(url);
	return p;
}

void db_pool_free(struct db_pool *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->idle.n; i++)
		db_close(p->idle.v[i]);
	list_done(&p->idle);
	pthread_mutex_destroy(&p->lock);
	free(p->url);
	free(p);
}

int db_pool_take(struct db_pool *p, struct db **ret, struct err *e)
{
	struct db *db = NULL;

	pthread_mutex_lock(&p->lock);
	if (p->idle.n)
		db = p->idle.v[--p->idle.n];
	pthread_mutex_unlock(&p->lock);
	if (!db && db_open(&db, p->url, true, e))
		return -1;
	*ret = db;
	return 0;
}

void db_pool_give(struct db_pool *p, struct db *db)
{
	if (!db)
		return;
	pthread_mutex_lock(&p->lock);
	*list_push(&p->idle) = db;
	pthread_mutex_unlock(&p->lock);
}
