/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/stream.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "noded/files/glob.h"
#include "noded/run/manifest.h"
#include "noded/run/pack.h"
#include "noded/run/relay.h"
#include "shared/clock.h"
#include "shared/daemon.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

enum {
	MANIFEST_MAX = 64 << 20,
	RESTORE_MAX = 1 << 20,
	NOTES_MAX = 200,          /* files named in the log; all are counted */
	BLANK_MIN = 1024,         /* a file this long that has nothing but NUL bytes is counted as blank */
};

/* ---- the directories of a site */

static bool lies_in(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	while (n > 1 && dir[n - 1] == '/')
		n--;
	return strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == '\0' || n == 1);
}

static void add_root(struct strings *list, char *path)
{
	if (!*path)
		return;
	for (size_t i = 0; i < list->n; i++)
		if (str_eq(list->v[i], path))
			return;
	*list_push(list) = path;
}

void roots_of(struct roots *ret, const struct site *s)
{
	bool apart = *s->wp_content_path != '\0';

	*ret = (struct roots){0};
	/* one tree is walked once: nested roots go into one walk, without the WordPress rules */
	for (size_t i = 0; i < s->paths.n; i++)
		if (lies_in(s->wp_content_path, s->paths.v[i]) || lies_in(s->paths.v[i], s->wp_content_path))
			apart = false;
	if (apart)
		add_root(&ret->content, s->wp_content_path);
	else
		add_root(&ret->other, s->wp_content_path);
	for (size_t i = 0; i < s->paths.n; i++)
		add_root(&ret->other, s->paths.v[i]);
	if (*s->wp_config_path && !(*s->wp_content_path && lies_in(s->wp_config_path, s->wp_content_path)))
		add_root(&ret->other, s->wp_config_path);
	for (size_t i = 0; i < ret->content.n; i++)
		add_root(&ret->all, ret->content.v[i]);
	for (size_t i = 0; i < ret->other.n; i++)
		add_root(&ret->all, ret->other.v[i]);
}

void roots_done(struct roots *r)
{
	list_done(&r->content);
	list_done(&r->other);
	list_done(&r->all);
}

static bool stopping(void *ctx)
{
	(void)ctx;
	return daemon_stopping();
}

static int rules_of(struct globs **ret, const struct site *s, bool wordpress, struct err *e)
{
	CLEANUP(globs_freep) struct globs *g = globs_new();

	if (wordpress)
		globs_add_wordpress(g);
	for (size_t i = 0; i < s->exclude.n; i++)
		if (globs_add(g, s->exclude.v[i], e))
			return err_wrap(e, "site %s: exclude[%zu]", s->name, i);
	*ret = TAKE(g);
	return 0;
}

static void sum_walk(struct walk_result *to, const struct walk_result *add)
{
	to->files += add->files;
	to->bytes += add->bytes;
	to->skipped += add->skipped;
	to->changed += add->changed;
	to->sockets += add->sockets;
	to->mounts += add->mounts;
	to->excluded += add->excluded;
}

/* One group of roots. */
struct group_walk {
	const struct strings *roots;
	const struct site *site;
	bool wordpress;
};

/* sink NULL: only count. */
static int walk(const struct group_walk *g, struct walk_opts *o, const struct tar_sink *sink, struct walk_result *sum,
		struct err *e)
{
	CLEANUP(globs_freep) struct globs *rules = NULL;
	struct walk_result r = {0};
	int rc;

	if (!g->roots->n)
		return 0;
	if (rules_of(&rules, g->site, g->wordpress, e))
		return -1;
	o->roots = (const char *const *)g->roots->v;
	o->n_roots = g->roots->n;
	o->exclude = rules;
	o->stop = stopping;
	rc = sink ? files_archive(o, sink, &r, e) : files_estimate(o, &r, e);
	sum_walk(sum, &r);
	return rc;
}

static int walk_all(const struct roots *roots, const struct site *s, struct walk_opts *o, const struct tar_sink *sink,
		    struct walk_result *sum, struct err *e)
{
	const struct group_walk content = {&roots->content, s, true}, other = {&roots->other, s, false};

	*sum = (struct walk_result){0};
	return walk(&content, o, sink, sum, e) || walk(&other, o, sink, sum, e) ? -1 : 0;
}

int roots_estimate(const struct roots *r, const struct site *s, struct walk_result *ret, struct err *e)
{
	struct walk_opts o = {0};

	return walk_all(r, s, &o, NULL, ret, e);
}

/* ---- the members */

/* One archive at work. */
struct work {
	struct stream *s;
	struct pack *pack;
	struct relay *relay;
	const struct tar_sink *inner;
	const struct tar_sink *pieces;      /* of a member of the database that is too long to be held */
	int64_t bytes_before, rows_before;  /* of the archives before this one */
	uint64_t members;                   /* of the database, handed over */
	bool footer;                        /* the last of them was the end of the database */
	bool blank;                         /* the file at work may be one: nothing else was seen of it */
	unsigned notes;
};

static void tick(struct work *w)
{
	uint64_t in, stored;

	archive_progress(pack_writer(w->pack), &in, &stored);
	w->s->job->progress.bytes_stored = w->s->job->run.bytes_stored + (int64_t)stored;
	progress_tick(w->s->job->bar);
}

static int take_member(void *ctx, const char *name, const void *p, size_t n, struct err *e)
{
	struct work *w = ctx;

	w->members++;
	w->footer = str_eq(name, "db/99-footer.sql");
	return relay_member(w->relay, name, p, n, e);
}

static int take_buffer(void *ctx, const char *name, struct buf *b, struct err *e)
{
	struct work *w = ctx;

	w->members++;
	return relay_swap(w->relay, name, b, e);
}

/* A member too long to be held goes past the relay, which sleeps meanwhile. */
static int begin_pieces(void *ctx, const char *name, uint64_t size, struct err *e)
{
	struct work *w = ctx;

	w->members++;
	w->pieces = archive_writer_sink(pack_writer(w->pack));
	return relay_end(w->relay, e) || archive_begin_own(pack_writer(w->pack), name, size, e) ? -1 : 0;
}

static int write_piece(void *ctx, const void *p, size_t n, struct err *e)
{
	struct work *w = ctx;

	return w->pieces->write(w->pieces->ctx, p, n, e);
}

static int end_pieces(void *ctx, struct err *e)
{
	struct work *w = ctx;

	return w->pieces->end(w->pieces->ctx, e);
}

static void fail_pieces(void *ctx)
{
	(void)ctx; /* the run ends, and its archive with it */
}

/* On the relay's thread. */
static int store_member(void *ctx, const char *name, const void *p, size_t n, struct err *e)
{
	return archive_add(ctx, name, p, n, e);
}

static void dump_defined(void *ctx, size_t done, size_t of)
{
	struct work *w = ctx;

	progress_definitions(&w->s->job->progress, done, of);
	tick(w);
}

static void dump_progress(void *ctx, const char *table, uint64_t rows, uint64_t bytes)
{
	struct work *w = ctx;
	struct wire_progress *p = &w->s->job->progress;

	str_cut(p->phase, sizeof(p->phase), "dump");
	str_cut(p->item, sizeof(p->item), table);
	p->rows = w->rows_before + (int64_t)rows;
	p->bytes_done = w->bytes_before + (int64_t)bytes;
	tick(w);
}

static void dump_warning(void *ctx, const char *text)
{
	struct work *w = ctx;

	job_warn(w->s->job, "database %s: %s", w->s->db, text);
}

static int file_begin(void *ctx, const struct tar_entry *entry, struct err *e)
{
	struct work *w = ctx;
	struct wire_progress *p = &w->s->job->progress;

	/* as it is called on the server */
	str_cut(p->item, sizeof(p->item), str_starts(entry->name, "files/") ? entry->name + 5 : entry->name);
	p->files++;
	w->blank = entry->type == '0' && !entry->sparse && entry->size >= BLANK_MIN;
	tick(w);
	return w->inner->begin(w->inner->ctx, entry, e);
}

static bool all_nul(const char *p, size_t n)
{
	return !n || (!p[0] && memcmp(p, p + 1, n - 1) == 0);
}

static int file_write(void *ctx, const void *bytes, size_t n, struct err *e)
{
	struct work *w = ctx;

	w->s->job->progress.bytes_done += (int64_t)n;
	w->blank = w->blank && all_nul(bytes, n);
	tick(w);
	return w->inner->write(w->inner->ctx, bytes, n, e);
}

static int file_end(void *ctx, struct err *e)
{
	struct work *w = ctx;

	if (w->blank)
		w->s->job->blank_files++;
	return w->inner->end(w->inner->ctx, e);
}

static void file_fail(void *ctx)
{
	struct work *w = ctx;

	if (w->inner->fail)
		w->inner->fail(w->inner->ctx);
}

static void file_note(void *ctx, enum walk_note kind, const char *path, const char *why)
{
	struct work *w = ctx;
	struct job *j = w->s->job;

	if (kind == WALK_SKIPPED)
		j->progress.skipped++;
	if (kind == WALK_VANISHED || kind == WALK_SOCKET || ++w->notes > NOTES_MAX)
		return;
	if (kind == WALK_SKIPPED)
		job_warn(j, "skipped %s: %s", path, why);
	else
		job_say(j, "%s: %s", path, why);
}

static int stream_files(struct work *w, struct walk_result *walked, struct err *e)
{
	const struct tar_sink sink = {.begin = file_begin, .write = file_write, .end = file_end, .fail = file_fail,
				      .ctx = w};
	struct walk_opts o = {.note = file_note, .ctx = w};
	struct stream *s = w->s;

	job_phase(s->job, "files");
	w->inner = archive_writer_sink(pack_writer(w->pack));
	if (walk_all(s->roots, s->site, &o, &sink, walked, e))
		return -1;
	if (!walked->files)
		return err_set(e, ERR_NOTFOUND, "site %s: none of its files could be read (%s%s): an empty backup is none",
			       s->site->name, s->roots->all.v[0], s->roots->all.n > 1 ? ", ..." : "");
	if (walked->skipped)
		job_warn(s->job, "%llu files or directories could not be read", (unsigned long long)walked->skipped);
	if (w->notes > NOTES_MAX)
		job_say(s->job, "%u more notes like these are left out", w->notes - NOTES_MAX);
	return 0;
}

/* Of a whole server one database is enough that has the table. */
static void warn_unmatched(const struct stream *s)
{
	const char *x;

	for (size_t at = 0; (x = dump_unmatched(s->dump, &s->site->exclude_tables, &at));)
		job_warn(s->job, "exclude_tables: there is no table \"%s\" in %s%s%s", x, s->whole_server ? "any database" : "`",
			 s->whole_server ? "" : s->db, s->whole_server ? "" : "`");
}

static int stream_database(struct work *w, struct dump_result *result, struct err *e)
{
	const struct dump_sink sink = {.member = take_member, .swap = take_buffer, .begin = begin_pieces,
				       .write = write_piece, .end = end_pieces, .fail = fail_pieces, .defined = dump_defined, .progress = dump_progress,
				       .warn = dump_warning, .ctx = w};
	CLEANUP(relay_freep) struct relay *relay = NULL;
	struct stream *s = w->s;

	job_phase(s->job, "dump");
	if (relay_new(&relay, store_member, pack_writer(w->pack), e))
		return -1;
	w->relay = relay;
	if (s->site->db_users && dump_accounts(s->dump, &sink, &result->accounts, e))
		return -1;
	if (dump_database(s->dump, s->db, &s->site->exclude_tables, &sink, result, e) || relay_end(relay, e))
		return -1;
	/* files may take hours, and all the time the server would keep old rows for a snapshot that nobody reads */
	if (s->last_database) {
		warn_unmatched(s);
		dump_release(s->dump);
	}
	if (!w->footer)
		return err_set(e, ERR_INTERNAL, "database %s: its dump ended without the last member", s->db);
	s->job->progress.rows = w->rows_before + (int64_t)result->rows;
	s->job->progress.bytes_done = w->bytes_before + (int64_t)result->bytes;
	if (result->tables.n || result->views)
		return 0;
	if (!s->whole_server)
		return err_set(e, ERR_NOTFOUND, "database %s has no tables that this account may see: an empty backup is none; "
			       "look at db_name and the grants", s->db);
	job_warn(s->job, "database %s has no tables (db_exclude leaves it out)", s->db);
	return 0;
}

static int add_restore_text(struct work *w, const struct manifest *m, struct err *e)
{
	CLEANUP(buf_done) struct buf text;

	buf_init(&text, RESTORE_MAX);
	if (manifest_restore_text(m, &text, e))
		return -1;
	return archive_add(pack_writer(w->pack), "RESTORE.txt", text.p, text.len, e);
}

static int seal_and_verify(struct work *w, struct manifest *m, struct wire_archive *archive, struct archive_sum *sum,
			   struct err *e)
{
	CLEANUP(buf_done) struct buf json;
	struct stream *s = w->s;
	struct pack_facts facts = {.site = s->site->name, .server_id = s->config->server_id, .run = s->job->run.uuid,
				   .started = s->job->run.started};

	job_phase(s->job, "seal");
	buf_init(&json, MANIFEST_MAX);
	facts.finished = m->finished = clock_ms();
	m->lowest_level = archive_lowest_level(pack_writer(w->pack));
	if (m->lowest_level < s->config->level)
		job_say(s->job, "compressed at level %d to %" PRId64 ": the processor was what held up", m->lowest_level,
			s->config->level);
	if (manifest_json(m, &json, e) || pack_seal(w->pack, json.p, &facts, sum, e))
		return -1;
	job_phase(s->job, "verify");
	return pack_verify(w->pack, archive, e);
}

static int record(struct stream *s, const struct wire_archive *archive, const struct dump_result *tables, struct err *e)
{
	struct catalogue *c = s->job->catalogue;
	struct catalogue_tables rows = {0};
	int rc;

	for (size_t i = 0; i < tables->tables.n; i++) {
		const struct dump_table *t = &tables->tables.v[i];

		*list_push(&rows) = (struct catalogue_table){.name = t->name, .rows = t->rows, .bytes = t->bytes,
							     .digest = t->digest, .data = t->data};
	}
	rc = catalogue_stored(c, s->job->run.uuid, archive, e);
	if (rc == 0 && *archive->db)
		rc = catalogue_set_tables(c, s->job->run.uuid, archive->db, &rows, e);
	list_done(&rows);
	return rc;
}

static void count(struct wire_run *run, const struct dump_result *tables, const struct walk_result *files,
		  const struct archive_sum *sum)
{
	run->rows += (int64_t)tables->rows;
	run->tables += (int64_t)tables->tables.n;
	run->files += (int64_t)files->files;
	run->skipped += (int64_t)files->skipped;
	run->bytes_in += (int64_t)sum->bytes_in;
	run->bytes_stored += (int64_t)sum->bytes_stored;
}

/* What was handed over and what stands in the index are counted apart: nothing
 * may get lost between the reader of the database and the archive. */
static int all_there(const struct work *w, const struct walk_result *files, const struct archive_sum *sum, struct err *e)
{
	uint64_t own = 3; /* RESTORE.txt, index.jsonl, manifest.json */
	uint64_t given = own + w->members + files->files;

	if (sum->members == given)
		return 0;
	return err_set(e, ERR_INTERNAL, "the archive has %llu members, %llu were given to it", (unsigned long long)sum->members,
		       (unsigned long long)given);
}

static int stream_members(struct work *w, struct err *e)
{
	CLEANUP(dump_result_done) struct dump_result tables = {0};
	struct stream *s = w->s;
	struct walk_result walked = {0};
	struct archive_sum sum = {0};
	struct wire_archive archive = {0};
	struct manifest m = {.config = s->config, .run = &s->job->run, .key = s->key, .db = s->db, .dump = s->dump,
			     .tables = &tables, .roots = s->roots ? &s->roots->all : NULL, .files = &walked, .users = *s->db && s->site->db_users};

	if (add_restore_text(w, &m, e))
		return -1;
	if (*s->db && stream_database(w, &tables, e))
		return -1;
	if (s->roots && stream_files(w, &walked, e))
		return -1;
	if (seal_and_verify(w, &m, &archive, &sum, e))
		return -1;
	if (all_there(w, &walked, &sum, e))
		return -1;
	str_cut(archive.db, sizeof(archive.db), s->db);
	if (record(s, &archive, &tables, e))
		return -1;
	*list_push(&s->job->run.archives) = archive;
	count(&s->job->run, &tables, &walked, &sum);
	return 0;
}

/* A storage that works has nothing left of the upload now; of one that does not
 * nobody knows: its entry stays for reap. */
static void give_up(struct stream *s, struct pack *pack, const struct wire_archive *journal)
{
	struct err ignored;

	pack_close(pack);
	if (!s->storage_failed && catalogue_gone(s->job->catalogue, s->job->run.uuid, journal, &ignored))
		log_debug("%s: %s", journal->key, ignored.msg);
}

int stream_archive(struct stream *s, struct err *e)
{
	CLEANUP(pack_closep) struct pack *pack = NULL;
	const struct pack_opts o = {.store = s->store, .key = s->key, .estimate = s->estimate,
				    .spool_bytes = (uint64_t)s->config->spool_gb * 1000000000u,
				    .level = (int)s->config->level, .threads = (unsigned)s->config->threads,
				    .adaptive = s->config->adaptive};
	struct work w = {.s = s, .bytes_before = s->job->progress.bytes_done, .rows_before = s->job->progress.rows};
	struct wire_archive journal = {0};

	str_cut(journal.storage, sizeof(journal.storage), store_name(s->store));
	str_cut(journal.key, sizeof(journal.key), s->key);
	str_cut(journal.db, sizeof(journal.db), s->db);
	s->storage_failed = false;
	if (catalogue_upload(s->job->catalogue, s->job->run.uuid, &journal, e))
		return -1;
	s->storage_failed = true;
	if (pack_open(&pack, &o, e))
		return -1;
	s->begun = true;
	w.pack = pack;
	if (stream_members(&w, e)) {
		s->storage_failed = pack_storage_failed(pack);
		give_up(s, TAKE(pack), &journal);
		return -1;
	}
	s->storage_failed = false;
	return 0;
}
