/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h> /* not the "config.h" beside this file */

#include "masterd/db.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "masterd/db_driver.h"
#include "masterd/db_pg.h"
#include "masterd/db_sqlite.h"
#include "masterd/schema.h"
#include "shared/clock.h"
#include "shared/list.h"
#include "shared/mem.h"
#include "shared/str.h"

struct db {
	const struct db_driver *driver;
	void *conn;
};

enum { MEND_MS = 500 }; /* the pool's pause between two tries to connect */

static const struct {
	const char *scheme;
	const struct db_driver *(*driver)(void);
} drivers[] = {
	{"sqlite:", db_sqlite},
#ifdef HAVE_LIBPQ
	{"postgresql://", db_pg},
	{"postgres://", db_pg},
#endif
};

static const struct db_driver *driver_of(const char *url)
{
	for (size_t i = 0; i < ARRAY_LEN(drivers); i++)
		if (str_starts(url, drivers[i].scheme))
			return drivers[i].driver();
	return NULL;
}

/* Only the scheme: there may be a password in the rest. */
static int no_driver(const char *url, struct err *e)
{
	if (str_starts(url, "postgres"))
		return err_set(e, ERR_CONFIG, "database: this felloe-masterd was built without PostgreSQL: install libpq-dev "
			       "and build it again (./configure --with-libpq), or use sqlite:/path/of/master.db");
	return err_set(e, ERR_CONFIG, "database \"%.*s\": not understood; use sqlite:/path/of/master.db or "
		       "postgresql://user@host/database", (int)(strcspn(url, ":") < 40 ? strcspn(url, ":") : 40), url);
}

bool db_is_known_url(const char *url)
{
	return driver_of(url) != NULL;
}

char *db_shown(const char *url)
{
	const struct db_driver *driver = driver_of(url);

	return driver ? driver->shown(url) : xstrndup(url, strcspn(url, ":"));
}

int db_open(struct db **ret, const char *url, bool readonly, struct err *e)
{
	const struct db_driver *driver = driver_of(url);
	void *conn;

	if (!driver)
		return no_driver(url, e);
	if (driver->open(&conn, url, readonly, e))
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

int db_judge(struct db *db, char *about, struct err *e)
{
	return db->driver->judge(db->conn, about, e);
}

int db_pending(struct db *db, int *ret, struct err *e)
{
	int known, have;

	(void)schema_migrations(&known);
	if (db->driver->version(db->conn, &have, e))
		return -1;
	if (have > known)
		return err_set(e, ERR_CONFIG, "the database has version %d, this program knows up to %d: use the newer "
			       "program that wrote it", have, known);
	*ret = known - have;
	return 0;
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

void db_tell(struct db *db)
{
	if (db->driver->tell)
		db->driver->tell(db->conn);
}

int db_hear(struct db *db, int ms, struct err *e)
{
	const struct timespec t = {ms / 1000, ms % 1000 * 1000000L};

	if (db->driver->hear)
		return db->driver->hear(db->conn, ms, e);
	nanosleep(&t, NULL);
	return 0;
}

int db_now(struct db *db, int64_t *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	*ret = clock_ms();
	if (!db->driver->now)
		return 0;
	if (db_prepare(db, &s, db->driver->now, e))
		return -1;
	switch (db_step(&s, e)) {
	case 0:
		return err_set(e, ERR_IO, "the database does not say what time it is");
	case 1:
		*ret = db_int(&s, 0);
		return 0;
	default:
		return -1;
	}
}

void db_rollback(struct db *db)
{
	db->driver->rollback(db->conn);
}

bool db_fails_alone(const struct db *db)
{
	return !db->driver->fragile;
}

int db_day_add(struct db *db, const struct db_days *t, int64_t at, struct err *e)
{
	return db->driver->day_add ? db->driver->day_add(db->conn, t->table, t->column, at, e) : 0;
}

int db_days_drop(struct db *db, const struct db_days *t, int64_t before, bool *done, struct err *e)
{
	*done = db->driver->days_drop != NULL;
	return *done ? db->driver->days_drop(db->conn, t->table, t->column, before, e) : 0;
}

const struct db_catalogue *db_catalogue(const struct db *db)
{
	return db->driver->catalogue();
}

int db_settle(struct db *db, struct err *e)
{
	return db->driver->settle ? db->driver->settle(db->conn, e) : 0;
}

bool db_is_shared_url(const char *url)
{
	const struct db_driver *driver = driver_of(url);

	return driver && driver->shared;
}

int db_backup(struct db *db, const char *path, struct err *e)
{
	if (!db->driver->backup)
		return err_set(e, ERR_CONFIG, "this master keeps its data in PostgreSQL: back it up by pg_dump "
			       "--format=custom --file=%s, or with the server's own base backups", path);
	return db->driver->backup(db->conn, path, e);
}

struct db_pool {
	pthread_mutex_t lock;
	pthread_cond_t ending_soon;
	char *url;
	struct { LIST_OF(struct db *); } idle;
	bool hurried;      /* db_pool_hurry was called */
	bool away;         /* nobody is let wait: the mender tries to connect */
	bool ending;
	bool mended;       /* there is a mender to be joined */
	struct err refusal;
	pthread_t mender;
};

struct db_pool *db_pool_new(const char *url)
{
	struct db_pool *p = xcalloc(1, sizeof(*p));

	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->ending_soon, NULL);
	p->url = xstrdup(url);
	return p;
}

void db_pool_free(struct db_pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->ending = true;
	pthread_cond_signal(&p->ending_soon);
	pthread_mutex_unlock(&p->lock);
	if (p->mended)
		pthread_join(p->mender, NULL);
	for (size_t i = 0; i < p->idle.n; i++)
		db_close(p->idle.v[i]);
	list_done(&p->idle);
	pthread_cond_destroy(&p->ending_soon);
	pthread_mutex_destroy(&p->lock);
	free(p->url);
	free(p);
}

void db_pool_hurry(struct db_pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->hurried = true;
	for (size_t i = 0; i < p->idle.n; i++)
		db_close(p->idle.v[i]);
	p->idle.n = 0;
	pthread_mutex_unlock(&p->lock);
}

static int open_reader(struct db_pool *p, struct db **ret, struct err *e)
{
	if (db_open(ret, p->url, true, e))
		return -1;
	if (p->hurried && (*ret)->driver->hurry)
		(*ret)->driver->hurry((*ret)->conn);
	return 0;
}

/* Until there is a connection again: whoever takes one is refused meanwhile, as a
 * thread that waits for a server serves nobody. */
static void *mend(void *arg)
{
	struct db_pool *p = arg;
	struct db *db = NULL;
	struct err e = {0};

	pthread_mutex_lock(&p->lock);
	while (!p->ending) {
		struct timespec until;
		int rc;

		pthread_mutex_unlock(&p->lock);
		rc = open_reader(p, &db, &e);
		pthread_mutex_lock(&p->lock);
		if (!rc) {
			*list_push(&p->idle) = db;
			p->away = false;
			break;
		}
		p->refusal = e;
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += MEND_MS * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
		if (!p->ending)
			pthread_cond_clockwait(&p->ending_soon, &p->lock, CLOCK_MONOTONIC, &until);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static void go_away(struct db_pool *p, const struct err *why)
{
	pthread_mutex_lock(&p->lock);
	if (!p->away && !p->ending) {
		/* the one before has nothing left to do but return */
		if (p->mended)
			pthread_join(p->mender, NULL);
		p->refusal = *why;
		p->mended = p->away = !pthread_create(&p->mender, NULL, mend, p);
	}
	pthread_mutex_unlock(&p->lock);
}

/* An idle connection, or NULL; -1 when none is to be had for now. */
static int take_idle(struct db_pool *p, struct db **ret, struct err *e)
{
	int rc = 0;

	*ret = NULL;
	pthread_mutex_lock(&p->lock);
	if (p->away) {
		if (e)
			*e = p->refusal;
		rc = -1;
	} else if (p->idle.n) {
		*ret = p->idle.v[--p->idle.n];
	}
	pthread_mutex_unlock(&p->lock);
	return rc;
}

static int connect_new(struct db_pool *p, struct db **ret, struct err *e)
{
	struct err why = {0};

	if (!open_reader(p, ret, &why))
		return 0;
	if (why.kind == ERR_BUSY)
		go_away(p, &why);
	if (e)
		*e = why;
	return -1;
}

int db_pool_take(struct db_pool *p, struct db **ret, struct err *e)
{
	struct db *db;

	do {
		if (take_idle(p, &db, e))
			return -1;
		if (!db)
			return connect_new(p, ret, e);
		if (db->driver->alive(db->conn))
			break;
		db_close(db);
	} while (true);
	*ret = db;
	return 0;
}

void db_pool_give(struct db_pool *p, struct db *db)
{
	struct err why = {0};

	if (!db)
		return;
	if (db->driver->silent && db->driver->silent(db->conn, &why))
		go_away(p, &why);
	if (!db->driver->alive(db->conn)) {
		db_close(db);
		return;
	}
	pthread_mutex_lock(&p->lock);
	*list_push(&p->idle) = db;
	pthread_mutex_unlock(&p->lock);
}
