/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/prove.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "noded/mysql/accounts_load.h"
#include "noded/mysql/version.h"
#include "noded/run/private_server.h"
#include "noded/run/prove_views.h"
#include "noded/run/report.h"
#include "noded/run/restore.h"
#include "shared/clock.h"
#include "shared/json.h"
#include "shared/mem.h"
#include "shared/str.h"

#define ACCOUNTS "users/accounts.sql"
enum { ACCOUNTS_MAX = 256 << 20 };
#define NO_ROOM ((uint64_t)32 << 20) /* with less than this free a server refuses statements */

/* One archive with a database in it. */
struct exhibit {
	const struct found_archive *archive;
	char *db, *version;
	uint64_t bytes;            /* of SQL */
	uint64_t tables;           /* and sequences */
	struct buf accounts;       /* users/accounts.sql, empty: none */
	unsigned views_left;       /* not made yet, for want of what they refer to */
	struct server_objects objects;
};
struct exhibits {
	LIST_OF(struct exhibit);
};

static void exhibits_done(struct exhibits *x)
{
	for (size_t i = 0; i < x->n; i++) {
		free(x->v[i].db);
		free(x->v[i].version);
		buf_done(&x->v[i].accounts);
	}
	list_done(x);
}

void proof_done(struct proof *p)
{
	list_done(p);
}

const char *proof_failure(const struct proof *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (*p->v[i].failure)
			return p->v[i].failure;
	return "";
}

static void say(void *ctx, const char *text)
{
	job_say_text(ctx, text);
}

/* ---- what is to be proved */

static int add_size(void *ctx, const struct archive_entry *entry, struct err *e)
{
	(void)e;
	*(uint64_t *)ctx += entry->size;
	return 0;
}

static int add_one(void *ctx, const struct archive_entry *entry, struct err *e)
{
	(void)entry;
	(void)e;
	*(uint64_t *)ctx += 1;
	return 0;
}

/* In one archive of a whole server. */
static int read_accounts(struct opened *opened, struct buf *ret, struct err *e)
{
	uint64_t bytes = 0;

	buf_init(ret, ACCOUNTS_MAX);
	if (archive_list(opened->reader, ACCOUNTS, add_size, &bytes, e))
		return -1;
	return bytes ? archive_read_small(opened->reader, ACCOUNTS, ret, e) : 0;
}

static int look_at(struct exhibits *x, const struct found_archive *a, struct opened *opened, struct err *e)
{
	const struct json *db = json_get(opened->manifest, "database");
	struct exhibit *n;
	uint64_t bytes = 0, tables = 0;

	if (!*opened_db(opened))
		return 0;
	if (archive_list(opened->reader, "db/", add_size, &bytes, e) ||
	    archive_list(opened->reader, "db/10-schema/1-sequences/", add_one, &tables, e) ||
	    archive_list(opened->reader, "db/10-schema/2-tables/", add_one, &tables, e))
		return -1;
	n = list_push(x);
	n->archive = a;
	n->db = xstrdup(opened_db(opened));
	n->version = xstrdup(json_get_str(db, "server_version", ""));
	n->bytes = bytes;
	n->tables = tables;
	n->objects = (struct server_objects){json_get_int(db, "views", 0), json_get_int(db, "triggers", 0),
					     json_get_int(db, "routines", 0), json_get_int(db, "events", 0),
					     json_get_int(db, "sequences", 0)};
	return read_accounts(opened, &n->accounts, e);
}

static int look_at_all(const struct prove_opts *o, const struct found_archives *archives, struct exhibits *x, struct err *e)
{
	for (size_t i = 0; i < archives->n; i++) {
		struct opened opened = {0};
		int rc = opened_open(&opened, o->config, &archives->v[i], e);

		if (rc == 0)
			rc = look_at(x, &archives->v[i], &opened, e);
		opened_close(&opened);
		if (rc)
			return err_wrap(e, "%s", archives->v[i].key);
	}
	return 0;
}

/* ---- may this server judge? */

/* Neither kind of server can say what the other would make of a dump, nor an older one of a newer dump. */
static int may_judge(const struct exhibit *x, const char *server, struct err *e)
{
	struct version from = version_of(x->version), here = version_of(server);

	if (!from.number)
		return 0;
	if (from.maria != here.maria)
		return err_set(e, ERR_CONFLICT, "database %s was dumped from %s %s, the server program here is %s %s, which cannot "
			       "tell: name another with --server", x->db, version_kind(&from), x->version,
			       version_kind(&here), server);
	if (from.number > here.number)
		return err_set(e, ERR_CONFLICT, "database %s was dumped from %s, the server program here is the older %s, which "
			       "cannot tell: install a newer one, or name it with --server", x->db, x->version, server);
	return 0;
}

/* Failures that come from the place where the proof is made. */
static bool tells_nothing(enum err_kind kind, const char *msg)
{
	static const char *const lacks[] = {"Unknown storage engine", "is not loaded", "Unknown collation",
					    "Unknown character set"};
	static const enum err_kind elsewhere[] = {ERR_NET, ERR_STORAGE, ERR_SPACE, ERR_ABORTED, ERR_IO, ERR_BUSY,
						  ERR_DENIED, ERR_CONFIG, ERR_USAGE, ERR_INTERNAL, ERR_LIMIT};

	for (size_t i = 0; i < ARRAY_LEN(elsewhere); i++)
		if (kind == elsewhere[i])
			return true;
	for (size_t i = 0; i < ARRAY_LEN(lacks); i++)
		if (strstr(msg, lacks[i]))
			return true;
	return false;
}

/* What the restore said of the first table that is wrong; the error only counts them. */
static bool first_wrong_table(const struct job *job, size_t from, char *text, size_t size)
{
	const char *line = job->log.len > from ? strstr(job->log.p + from, "warning: table ") : NULL;
	CLEANUP(freep) char *copy = NULL;

	if (!line)
		return false;
	line += strlen("warning: ");
	copy = xstrndup(line, strcspn(line, "\n"));
	str_cut(text, size, copy);
	return true;
}

static int judge_failure(struct private_server *s, const struct exhibit *x, const struct err *why, struct err *e)
{
	char text[300];

	if (!private_server_lives(s, text, sizeof(text)))
		return err_set(e, ERR_DB, "database %s: the private server ended meanwhile: %s", x->db, text);
	if (private_server_free(s) < NO_ROOM)
		return err_set(e, ERR_SPACE, "database %s: there is no room left for the private server; choose another place "
			       "with --dir", x->db);
	if (!tells_nothing(why->kind, why->msg))
		return 0;
	*e = *why;
	return -1;
}

/* ---- one database */

static void compare_objects(const struct exhibit *x, const struct server_objects *is, int64_t left, struct proved *ret)
{
	const struct { const char *name; int64_t is, was; } counts[] = {
		{"views", is->views + left, x->objects.views},	      {"triggers", is->triggers, x->objects.triggers},
		{"routines", is->routines, x->objects.routines}, {"events", is->events, x->objects.events},
		{"sequences", is->sequences, x->objects.sequences},
	};

	for (size_t i = 0; i < ARRAY_LEN(counts) && !*ret->failure; i++)
		if (counts[i].is < counts[i].was)
			snprintf(ret->failure, sizeof(ret->failure), "database %.100s: %" PRId64 " %s of %" PRId64 " were restored",
				 x->db, counts[i].is, counts[i].name, counts[i].was);
	ret->views = is->views;
	ret->triggers = is->triggers;
	ret->routines = is->routines;
	ret->events = is->events;
}

/* Its own name: views and programs may say it. */
static int prove_one(const struct prove_opts *o, struct private_server *s, struct exhibit *x, struct proved *ret,
		     struct err *e)
{
	const struct restore_opts ro = {.config = o->config, .job = o->job, .db = true, .to_db = x->db,
					.access = private_server_access(s), .definer = "keep", .fresh = true, .thrown_away = true};
	size_t said = o->job->log.len;
	struct restore_result r;
	char text[200];
	struct err why;

	str_cut(ret->key, sizeof(ret->key), x->archive->key);
	str_cut(ret->db, sizeof(ret->db), x->db);
	if (restore_archive(&ro, x->archive, &r, &why)) {
		if (judge_failure(s, x, &why, e))
			return -1;
		if (why.kind == ERR_DAMAGED && first_wrong_table(o->job, said, text, sizeof(text)))
			snprintf(ret->failure, sizeof(ret->failure), "database %.50s: %s", x->db, text);
		else
			str_cut(ret->failure, sizeof(ret->failure), why.msg);
		str_clean(ret->failure);
		return 0;
	}
	ret->tables = r.tables;
	ret->rows = r.rows;
	ret->fetched = r.fetched;
	x->views_left = r.views_left;
	return 0;
}

static unsigned views_left(const struct exhibits *x)
{
	unsigned n = 0;

	for (size_t i = 0; i < x->n; i++)
		n += x->v[i].views_left;
	return n;
}

/* Views of one database that refer to another, until nothing more comes of it. */
static int finish_views(const struct prove_opts *o, struct private_server *s, struct exhibits *x, struct proof *ret,
			struct err *e)
{
	unsigned first = views_left(x), before;
	struct err why;

	if (x->n < 2)
		return 0;
	do {
		before = views_left(x);
		for (size_t i = 0; i < x->n; i++) {
			struct exhibit *one = &x->v[i];

			if (!one->views_left || prove_views(o->config, private_server_access(s), one->archive, &one->views_left,
							    &why) == 0)
				continue;
			if (judge_failure(s, one, &why, e))
				return -1;
			str_cut(ret->v[i].failure, sizeof(ret->v[i].failure), why.msg);
			str_clean(ret->v[i].failure);
		}
	} while (views_left(x) && views_left(x) < before);
	if (views_left(x) < first)
		job_say(o->job, "%u views that refer to other databases of the run were made after them", first - views_left(x));
	return 0;
}

static int count_objects(struct private_server *s, const struct exhibit *x, struct proved *ret, struct err *e)
{
	struct server_objects is;

	if (*ret->failure)
		return 0;
	if (server_count(private_server_access(s), x->db, &is, e))
		return -1;
	compare_objects(x, &is, x->views_left, ret);
	return 0;
}

/* After all databases: rights are on what they have. */
static int prove_accounts(struct private_server *s, const struct exhibit *x, struct job *say_to, struct proved *ret,
			  struct err *e)
{
	const struct accounts_text text = {.sql = x->accounts.p, .n = x->accounts.len};
	struct accounts_loaded l;
	struct err why;

	if (!x->accounts.len)
		return 0;
	if (accounts_load(private_server_root(s), &text, &l, &why)) {
		if (judge_failure(s, x, &why, e))
			return -1;
		if (!*ret->failure)
			snprintf(ret->failure, sizeof(ret->failure), ACCOUNTS ": %.200s", why.msg);
		str_clean(ret->failure);
		return 0;
	}
	/* each archive has them, the same */
	if (say_to)
		job_say(say_to, ACCOUNTS ": the server takes its %u statements", l.statements - l.left);
	if (say_to && l.left)
		job_warn(say_to, ACCOUNTS ": %u statements are about what is not there: %s", l.left, l.first_left);
	return 0;
}

int prove_archives(const struct prove_opts *o, const struct found_archives *archives, struct proof *ret, struct err *e)
{
	CLEANUP(exhibits_done) struct exhibits x = {0};
	CLEANUP(private_server_stopp) struct private_server *s = NULL;
	struct private_server_opts so = {.program = o->server, .base = o->dir, .say = say, .ctx = o->job};

	*ret = (struct proof){0};
	job_phase(o->job, "plan");
	if (look_at_all(o, archives, &x, e))
		return -1;
	for (size_t i = 0; i < x.n; i++) {
		so.need += x.v[i].bytes;
		so.tables += x.v[i].tables;
	}
	if (!x.n)
		return 0;
	job_phase(o->job, "server");
	if (private_server_start(&s, &so, e))
		return -1;
	job_say(o->job, "a private server %s runs for the proof", private_server_facts(s)->version);
	for (size_t i = 0; i < x.n; i++)
		if (may_judge(&x.v[i], private_server_facts(s)->version, e))
			return -1;
	/* all of them stay: one may refer to another */
	for (size_t i = 0; i < x.n; i++)
		if (prove_one(o, s, &x.v[i], list_push(ret), e))
			return -1;
	if (finish_views(o, s, &x, ret, e))
		return -1;
	for (size_t i = 0; i < x.n; i++)
		if (count_objects(s, &x.v[i], &ret->v[i], e) || prove_accounts(s, &x.v[i], i ? NULL : o->job, &ret->v[i], e))
			return -1;
	return 0;
}

static int load_run(struct catalogue *catalogue, const char *uuid, struct wire_runs *ret, struct err *e)
{
	const struct run_query q = {.uuid = uuid, .limit = 1};

	*ret = (struct wire_runs){0};
	return *uuid ? catalogue_runs(catalogue, &q, ret, e) : 0;
}

int prove_record(const struct config *c, struct catalogue *catalogue, struct verdict *v, struct err *e)
{
	CLEANUP(runs_done) struct wire_runs before = {0}, after = {0};
	struct catalogue_proof proof = {.at = clock_ms(), .failure = v->failure};

	v->at = proof.at;
	if (load_run(catalogue, v->uuid, &before, e))
		return -1;
	if (!before.n || (!v->failure && before.v[0].archives.n > v->archives))
		return 0;
	if (catalogue_proof(catalogue, before.v[0].uuid, &proof, e) || load_run(catalogue, before.v[0].uuid, &after, e))
		return -1;
	v->written = after.n > 0;
	return after.n ? report_run(c, catalogue, &after.v[0], e) : 0;
}
