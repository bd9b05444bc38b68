/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "noded/mysql/crew.h"
#include "noded/mysql/journal.h"
#include "noded/mysql/keys.h"
#include "noded/mysql/sqltext.h"
#include "noded/run/restore_rows_priv.h"
#include "shared/daemon.h"
#include "shared/mem.h"
#include "shared/str.h"

/* The members of a database on their way into the server: definitions one after
 * the other, then rows over several connections. As soon as the last member of a
 * table is loaded the same connections add its keys and compare its rows with
 * the manifest, while others still load. Then come the foreign keys, then programs and views. */

static const char rows_dir[] = ROWS_DIR, tables_dir[] = "db/10-schema/2-tables/";

/* Tables with more rows than this, in bytes of SQL, get their keys afterwards: for less it does not pay. */
enum { DEFER_FROM = 4 << 20 };
/* Smaller ones are compared again when a restore is resumed: that costs less than writing it down. */
enum { NOTE_FROM = 1 << 20 };

void restore_rows_free(struct restore_rows *w)
{
	if (!w)
		return;
	crew_close(w->crew);
	for (size_t i = 0; i < w->tables.n; i++) {
		free(w->tables.v[i].keys);
		free(w->tables.v[i].constraints);
	}
	strings_done(&w->loaded);
	list_done(&w->tables);
	pool_done(&w->parts);
	list_done(&w->said);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

/* ---- the plan */

static int by_part(const void *a, const void *b)
{
	return strcmp(((const struct table *)a)->part, ((const struct table *)b)->part);
}

struct table *restore_rows_find(struct restore_rows *w, const char *part)
{
	const struct table wanted = {.part = part};

	return w->tables.n ? bsearch(&wanted, w->tables.v, w->tables.n, sizeof(*w->tables.v), by_part) : NULL;
}

struct table *restore_rows_table_of(struct restore_rows *w, const char *member)
{
	const char *slash = strrchr(member, '/'), *name = slash ? slash + 1 : member;
	CLEANUP(freep) char *part = xstrndup(name, strcspn(name, "."));

	return restore_rows_find(w, part);
}

static int count_member(void *ctx, const struct archive_entry *entry, struct err *e)
{
	struct restore *r = ctx;
	struct table *t = restore_rows_table_of(r->rows, entry->name);

	(void)e;
	if (t && !restore_is_lost(r, entry->name)) {
		r->rows->members++;
		t->left++;
		t->ready = false;
		t->bytes += entry->size;
	}
	return 0;
}

int restore_rows_plan(struct restore *r, struct err *e)
{
	struct restore_rows *w;

	restore_rows_free(r->rows);
	w = r->rows = xcalloc(1, sizeof(*w));
	pthread_mutex_init(&w->lock, NULL);
	for (size_t i = 0; i < r->opened.facts.tables.n; i++) {
		const struct fact_table *t = &r->opened.facts.tables.v[i];
		const char *name = t->name;
		CLEANUP(buf_done) struct buf part = {0};

		if (!restore_table_wanted(r, name))
			continue;
		if (restore_table_state(r, name) == TABLE_LOST) {
			job_warn(r->o->job, "table %s is LOST", name);
			continue;
		}
		buf_init(&part, 4096);
		member_name(&part, name);
		if (buf_check(&part, "name of a table", e))
			return -1;
		*list_push(&w->tables) = (struct table){.r = r, .facts = t, .part = pool_add(&w->parts, part.p), .ready = true};
	}
	if (w->tables.n)
		qsort(w->tables.v, w->tables.n, sizeof(*w->tables.v), by_part);
	return archive_list(r->opened.reader, rows_dir, count_member, r, e);
}

static const char *name_of(const struct table *t)
{
	return t->facts->name;
}

/* ---- in a loader's thread */

static void at_work(struct table *t, const struct table **what, bool on)
{
	struct restore_rows *w = t->r->rows;

	pthread_mutex_lock(&w->lock);
	if (on)
		*what = t;
	else if (*what == t)
		*what = NULL;
	pthread_mutex_unlock(&w->lock);
}

static bool wants_rows(const struct table *t)
{
	return t->facts->data;
}

static uint64_t rows_of(const struct table *t)
{
	return t->facts->rows > 0 ? (uint64_t)t->facts->rows : 0;
}

/* NULL, or how it differs from what was counted when it was dumped. */
static const char *difference(const struct table *t)
{
	if (!t->facts->has_digest)
		return "the manifest has no digest of it";
	if (t->rows != rows_of(t))
		return "rows are missing or too many";
	return memcmp(t->digest, t->facts->digest, sizeof(t->digest)) ? "other content than was dumped" : NULL;
}

static int compare(struct table *t, struct load *l, struct err *e)
{
	if (!wants_rows(t))
		return load_has(l, name_of(t), e);
	if (load_check(l, name_of(t), t->facts->select, &t->rows, t->digest, e))
		return -1;
	if (t->r->journal && t->bytes >= NOTE_FROM && !difference(t))
		return journal_add(load_conn(l), "checked", name_of(t), NULL, e);
	return 0;
}

static int check_table(void *ctx, struct load *l, struct err *e)
{
	struct table *t = ctx;
	struct restore_rows *w = t->r->rows;
	int rc;

	at_work(t, &w->check_of, true);
	rc = compare(t, l, e);
	at_work(t, &w->check_of, false);
	if (rc)
		return -1;
	pthread_mutex_lock(&w->lock);
	*list_push(&w->said) = t;
	pthread_mutex_unlock(&w->lock);
	return 0;
}

static int add_keys(void *ctx, struct load *l, struct err *e)
{
	struct table *t = ctx;
	struct restore_rows *w = t->r->rows;
	int rc;

	at_work(t, &w->keys_of, true);
	rc = load_alter(l, t->keys, t->r->resumed, e) ||
	     (t->r->journal && journal_remove(load_conn(l), "keys", name_of(t), e)) ? -1 : 0;
	at_work(t, &w->keys_of, false);
	if (rc)
		return err_wrap(e, "the indexes of table `%s`", name_of(t));
	crew_call(w->crew, check_table, t);
	return 0;
}

static void complete(struct table *t)
{
	crew_call(t->r->rows->crew, t->keys ? add_keys : check_table, t);
}

static int on_loaded(void *ctx, const char *member, struct err *e)
{
	struct restore_rows *w = ((struct restore *)ctx)->rows;
	struct table *t = restore_rows_table_of(w, member);
	bool last;

	(void)e;
	if (!t)
		return 0;
	pthread_mutex_lock(&w->lock);
	last = --t->left == 0;
	pthread_mutex_unlock(&w->lock);
	if (last)
		complete(t);
	return 0;
}

/* ---- in the thread that reads */

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* A table that is not whole in the archive, or of which nobody knows what it held:
 * what came of it is told, never taken for all of it. */
static bool tell_damaged(struct restore *r, const struct table *t)
{
	int64_t expected = t->facts->rows;
	bool partly = t->broken || restore_table_state(r, name_of(t)) == TABLE_PARTLY;
	char of[48] = "";

	if (expected >= 0)
		snprintf(of, sizeof(of), " of %" PRId64, expected);
	if (partly)
		job_warn(r->o->job, "table %s is INCOMPLETE: %" PRIu64 "%s row%s came back", name_of(t), t->rows, of,
			 plural(expected >= 0 ? (uint64_t)expected : t->rows));
	else if (r->opened.manifest_damage)
		job_warn(r->o->job, "table %s: %" PRIu64 " row%s, nothing to compare %s with", name_of(t), t->rows,
			 plural(t->rows), t->rows == 1 ? "it" : "them");
	return partly || r->opened.manifest_damage;
}

static void count(struct restore *r, const struct table *t)
{
	if (!wants_rows(t))
		return;
	r->out->tables++;
	r->out->rows += rows_of(t);
}

/* Compared by an earlier run. */
static void count_known(struct restore *r, const struct table *t)
{
	int64_t rows = (int64_t)rows_of(t);

	count(r, t);
	if (wants_rows(t))
		restore_event_table(r->o->events, &(struct restore_table){name_of(t), (uint64_t)rows, rows, "agrees"});
}

static void tell(struct restore *r, const struct table *t)
{
	const char *name = name_of(t), *differs = difference(t);
	int64_t expected = (int64_t)rows_of(t);

	if (!wants_rows(t))
		return;
	if (tell_damaged(r, t)) {
		r->out->tables++;
		r->out->rows += t->rows;
		return;
	}
	if (!differs) {
		count(r, t);
		job_say(r->o->job, "table %s: %" PRIu64 " row%s, digest agrees", name, t->rows, plural(t->rows));
		return;
	}
	r->rows->wrong++;
	job_warn(r->o->job, "table %s: %" PRIu64 " row%s (%" PRId64 " %s dumped), %s", name, t->rows, plural(t->rows), expected,
		 expected == 1 ? "was" : "were", differs);
}

static void put_event(struct restore *r, const struct table *t)
{
	const char *digest = t->broken || restore_table_state(r, name_of(t)) == TABLE_PARTLY ? "incomplete" :
			     r->opened.manifest_damage ? "unknown" : !difference(t) ? "agrees" : "differs";
	int64_t dumped = t->facts->rows;

	if (wants_rows(t))
		restore_event_table(r->o->events, &(struct restore_table){name_of(t), t->rows, dumped, digest});
}

static void tell_all(struct restore *r)
{
	struct restore_rows *w = r->rows;

	for (;;) {
		struct table *t = NULL;

		pthread_mutex_lock(&w->lock);
		if (w->said.n) {
			t = w->said.v[0];
			memmove(w->said.v, w->said.v + 1, --w->said.n * sizeof(*w->said.v));
		}
		pthread_mutex_unlock(&w->lock);
		if (!t)
			return;
		put_event(r, t);
		restore_events_mute(r->o->events, true);
		tell(r, t);
		restore_events_mute(r->o->events, false);
	}
}

/* What is at work when all rows are on their way. */
static void show_work(struct restore *r)
{
	struct restore_rows *w = r->rows;
	const struct table *keys, *check;

	pthread_mutex_lock(&w->lock);
	keys = w->keys_of;
	check = w->check_of;
	pthread_mutex_unlock(&w->lock);
	if (keys)
		progress_phase(r->o->job->bar, "keys", name_of(keys));
	else if (check)
		progress_phase(r->o->job->bar, "check", name_of(check));
}

static void show(struct restore *r)
{
	const struct crew *crew = r->rows->crew;

	r->o->job->progress.bytes_done = (int64_t)(r->done + (crew ? crew_bytes(crew) : 0));
	tell_all(r);
	progress_tick(r->o->job->bar);
}

/* Asked by whoever waits for the loaders. */
static bool on_wait(void *ctx)
{
	struct restore *r = ctx;

	if (r->rows->ended)
		show_work(r);
	show(r);
	return daemon_stopping();
}

static int open_crew(struct restore *r, struct err *e)
{
	const struct load_opts load = {.access = &r->access, .db = r->target_db, .journal = r->journal};
	const struct crew_opts o = {.load = &load, .loaders = (unsigned)r->o->config->mysql_connections, .stop = on_wait,
				    .loaded = on_loaded, .ctx = r};

	return r->rows->crew ? 0 : crew_open(&r->rows->crew, &o, e);
}

static int add_constraints_of(struct restore *r, const struct table *t, struct err *e)
{
	progress_phase(r->o->job->bar, "keys", name_of(t));
	if (restore_stopping(r))
		return err_set(e, ERR_ABORTED, "stopped on request");
	if (load_alter(r->load, t->constraints, r->resumed, e)) {
		/* beside what is lost, rows without a foreign key are worth more than none */
		if (!restore_salvages(r) || !load_skip(r->load))
			return -1;
		job_warn(r->o->job, "table %s has no foreign keys: %s", name_of(t), e->msg);
		return 0;
	}
	return r->journal ? journal_remove(load_conn(r->load), "constraints", name_of(t), e) : 0;
}

static int add_constraints(struct restore *r, struct err *e)
{
	for (size_t i = 0; i < r->rows->tables.n; i++) {
		const struct table *t = &r->rows->tables.v[i];

		if (t->constraints && add_constraints_of(r, t, e))
			return err_wrap(e, "the foreign keys of table `%s`", name_of(t));
	}
	return 0;
}

/* A member that is not among those lost from the start; without its definition a table is not there. */
static void lose(struct restore *r, const char *member, const char *why)
{
	struct table *t = str_starts(member, tables_dir) ? restore_rows_table_of(r->rows, member) : NULL;

	restore_lose(r, member, why);
	if (!t || t->lost)
		return;
	t->lost = true;
	free(TAKE(t->constraints));
	job_warn(r->o->job, "table %s is LOST", name_of(t));
}

/* Those of which no definition came out of the archive, though it was there a moment ago. */
static void lose_unmade(struct restore *r)
{
	for (size_t i = 0; restore_salvages(r) && i < r->rows->tables.n; i++) {
		const struct table *t = &r->rows->tables.v[i];
		CLEANUP(freep) char *member = xasprintf("%s%s.sql", tables_dir, t->part);

		if (!t->made && !t->lost)
			lose(r, member, "it broke while it was restored");
	}
}

/* All tables are there; what they lack yet is written down before there are rows that must not be lost. */
static int end_definitions(struct restore *r, struct err *e)
{
	struct restore_rows *w = r->rows;
	struct conn *c = load_conn(r->load);

	if (w->defined)
		return 0;
	w->defined = true;
	lose_unmade(r);
	if (!r->journal)
		return 0;
	if (journal_begin(c, e))
		return -1;
	for (size_t i = 0; i < w->tables.n; i++) {
		const struct table *t = &w->tables.v[i];

		if ((t->keys && journal_add(c, "keys", name_of(t), t->keys, e)) ||
		    (t->constraints && journal_add(c, "constraints", name_of(t), t->constraints, e)))
			return -1;
	}
	return journal_add(c, "done", "definitions", NULL, e) || journal_commit(c, e) ? -1 : 0;
}

/* All that was handed over is loaded. Tables with members that broke only now (the last of which are
 * named when all is read) have all the rows that will come: they get their keys, and what they lack is told. */
static int see_ends(struct restore *r, struct err *e)
{
	struct restore_rows *w = r->rows;

	for (size_t i = 0; restore_salvages(r) && i < w->tables.n; i++) {
		struct table *t = &w->tables.v[i];

		t->broken = t->left && !t->lost;
		if (t->broken)
			complete(t);
	}
	return w->crew ? crew_wait(w->crew, e) : 0;
}

static int fill(struct restore *r, struct err *e)
{
	struct restore_rows *w = r->rows;

	if (end_definitions(r, e) || (w->tables.n && open_crew(r, e)))
		return -1;
	for (size_t i = 0; i < w->tables.n; i++) {
		struct table *t = &w->tables.v[i];

		if (w->filled ? !t->doubtful : t->known)
			count_known(r, t);
		else if (t->ready && !t->lost)
			complete(t);
	}
	if ((w->crew && crew_wait(w->crew, e)) || see_ends(r, e))
		return -1;
	show(r);
	if (w->crew)
		r->done += crew_bytes(w->crew);
	crew_close(TAKE(w->crew));
	return add_constraints(r, e);
}

/* All rows are there before anything uses them. */
static int end_rows(struct restore *r, struct err *e)
{
	struct restore_rows *w = r->rows;

	if (w->ended)
		return 0;
	w->ended = true;
	if (fill(r, e))
		return -1;
	return r->journal && !w->filled && !w->wrong ? journal_add(load_conn(r->load), "done", "rows", NULL, e) : 0;
}

static bool is_rows(const char *member)
{
	return str_starts(member, rows_dir);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int begin_rows(struct restore *r, const struct tar_entry *entry, struct err *e)
{
	struct restore_rows *w = r->rows;

	if (w->loaded.n && bsearch(&entry->name, w->loaded.v, w->loaded.n, sizeof(*w->loaded.v), by_text)) {
		r->skip = true;
		r->done += entry->size;
		return 0;
	}
	if (end_definitions(r, e))
		return -1;
	r->skip = restore_is_lost(r, entry->name);
	return !r->skip && (open_crew(r, e) || crew_begin(w->crew, entry->name, entry->size, e)) ? -1 : 0;
}

static int sql_begin(void *ctx, const struct tar_entry *entry, struct err *e)
{
	struct restore *r = ctx;

	free(r->member);
	r->member = xstrdup(entry->name);
	r->skip = restore_is_lost(r, r->member);
	if (!str_starts(r->member, tables_dir)) {
		str_cut(r->o->job->progress.phase, sizeof(r->o->job->progress.phase), "restore");
		str_cut(r->o->job->progress.item, sizeof(r->o->job->progress.item), entry->name);
	}
	if (r->skip)
		return 0;
	if (is_rows(r->member))
		return begin_rows(r, entry, e);
	if (str_starts(r->member, "db/30-post/"))
		return end_rows(r, e);
	r->skip = r->rows->defined && (str_starts(r->member, "db/10-schema/") || str_starts(r->member, "db/00-header"));
	return 0;
}

/* A view may refer to a schema that is not here, or to a table that was left out:
 * all the rest is worth more than this view. */
static int forgive_view(struct restore *r, struct err *e)
{
	if (!str_starts(r->member, "db/30-post/5-views/") || !load_skip(r->load))
		return -1;
	job_warn(r->o->job, "a view is not restored: %s", e->msg);
	r->out->views_left++;
	r->skip = true;
	return 0;
}

/* What is lost of the archive takes with it what refers to it: a table its
 * sequence, a trigger its table. */
static int forgive(struct restore *r, struct err *e)
{
	if (!restore_salvages(r) || str_starts(r->member, "db/30-post/5-views/"))
		return forgive_view(r, e);
	if (!load_skip(r->load))
		return -1;
	lose(r, r->member, e->msg);
	r->skip = true;
	return 0;
}

static int sql_write(void *ctx, const void *p, size_t n, struct err *e)
{
	struct restore *r = ctx;

	if (!r->skip && is_rows(r->member))
		return crew_write(r->rows->crew, p, n, e);
	r->done += n;
	return !r->skip && load_feed(r->load, r->member, p, n, e) ? forgive(r, e) : 0;
}

static int sql_end(void *ctx, struct err *e)
{
	struct restore *r = ctx;
	struct table *t;

	if (!r->skip && is_rows(r->member))
		return crew_end(r->rows->crew, e);
	if (!r->skip && load_end(r->load, e))
		return forgive(r, e);
	if (!r->skip && str_starts(r->member, tables_dir) && (t = restore_rows_table_of(r->rows, r->member))) {
		t->made = true;
		progress_definitions(&r->o->job->progress, ++r->rows->made, r->rows->tables.n);
		show(r);
	}
	return 0;
}

/* What was read of it is not to be trusted. */
static void sql_fail(void *ctx)
{
	struct restore *r = ctx;
	struct err ignored;

	if (r->skip)
		return;
	if (is_rows(r->member))
		crew_fail(r->rows->crew);
	else if (load_abandon(r->load, &ignored))
		return; /* the next statement meets it */
}

static void on_fetched(void *ctx, uint64_t fetched)
{
	struct restore *r = ctx;

	r->o->job->progress.bytes_stored = (int64_t)fetched;
	show(r);
}

int restore_shorten(void *ctx, const char *member, const char *sql, size_t n, struct buf *out)
{
	struct restore *r = ctx;
	CLEANUP(keys_done) struct keys k = {0};
	struct table *t = str_starts(member, tables_dir) ? restore_rows_table_of(r->rows, member) : NULL;

	/* while one node of a cluster adds a key, no node commits anything */
	if (!t || !keys_defer(&k, sql, n, t->bytes >= DEFER_FROM && !r->cluster.there))
		return 0;
	buf_add(out, k.create.p, k.create.len);
	free(t->keys);
	free(t->constraints);
	t->keys = k.keys.len ? buf_take(&k.keys) : NULL;
	t->constraints = k.constraints.len ? buf_take(&k.constraints) : NULL;
	return 1;
}

/* Most were named before; a failing disk has new ones each time it is read. */
static void pass_lost(void *ctx, const char *member, const char *why)
{
	struct restore *r = ctx;

	restore_note_damage(r, member, why);
	if (!restore_is_lost(r, member))
		lose(r, member, why);
}

static int something_left(const struct restore *r, struct err *e)
{
	const struct restore_rows *w = r->rows;

	for (size_t i = 0; i < w->tables.n; i++)
		if (!w->tables.v[i].lost)
			return 0;
	return w->tables.n ? err_set(e, ERR_DAMAGED, "the definition of each table that is wanted is lost: nothing was restored of %s",
				     r->source_db) : 0;
}

int restore_members(struct restore *r, const struct strings *p, struct err *e)
{
	const struct tar_sink sink = {.begin = sql_begin, .write = sql_write, .end = sql_end, .fail = sql_fail, .ctx = r};
	const struct archive_read_opts o = {.prefixes = (const char *const *)p->v, .n_prefixes = p->n,
					    .damaged = restore_salvages(r) ? pass_lost : NULL,
					    .progress = on_fetched, .stop = restore_stopping, .ctx = r};
	struct archive_read_result result = {0};

	if (r->rows->complete && !r->rows->ended)
		return end_rows(r, e);
	if (archive_read(r->opened.reader, &o, &sink, &result, e) || end_rows(r, e) || something_left(r, e))
		return -1;
	r->out->bytes += result.bytes;
	return r->journal && !r->rows->wrong && r->load ? journal_add(load_conn(r->load), "done", "all", NULL, e) : 0;
}

int restore_rows_agree(const struct restore *r, struct err *e)
{
	if (r->rows->wrong)
		return err_set(e, ERR_DAMAGED, "%u tables are not what was dumped; the copy is in `%s`", r->rows->wrong,
			       r->target_db);
	return 0;
}
