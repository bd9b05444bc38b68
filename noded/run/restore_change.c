/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/restore_priv.h"

#include <ctype.h>
#include <string.h>

#include "noded/mysql/sqltext.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"

/* What becomes of a definition on its way into the copy: schema, definer, events. */

/* The copy has another name than the database of the dump. */
static bool renames(const struct restore *r)
{
	return !r->o->in_place && !str_eq(r->source_db, r->target_db);
}

/* In tables, sequences and views the name stands by the server's doing; in bodies
 * by their author's. */
static bool is_body(const char *member)
{
	return str_starts(member, "db/30-post/") && !str_starts(member, "db/30-post/5-views/");
}

/* The account that shall stand there, as SQL, in b; "" when it is kept. */
static void new_definer(const struct restore *r, const struct sql_text *text, struct buf *b)
{
	CLEANUP(tokens_done) struct tokens t = {0};
	CLEANUP(made_done) struct made m = {0};
	const char *who = r->o->definer, *at = strrchr(who, '@');
	const struct need *n;

	buf_reset(b);
	tokens_read(&t, text, false);
	if (!made_read(&m, &t) || !*m.definer)
		return;
	n = needs_find(&r->needs, NEED_DEFINER, m.definer);
	if (str_eq(who, "invoker") || (str_eq(who, "keep") && n && n->changed)) {
		buf_adds(b, "CURRENT_USER");
	} else if (!str_eq(who, "keep") && at) {
		CLEANUP(freep) char *user = xstrndup(who, (size_t)(at - who));

		sql_ident(b, user);
		buf_addc(b, '@');
		sql_ident(b, at + 1);
	}
}

int restore_change(void *ctx, const struct load_statement *s, struct buf *out, struct err *e)
{
	const struct restore *r = ctx;
	struct sql_text text = {s->sql, s->n, s->no_backslash, *s->ansi_quotes}, mode = text;
	const struct rename rename = {r->source_db, r->target_db, false};
	CLEANUP(buf_done) struct buf changed = {0}, definer = {0};
	struct made_change change = {.disable = r->o->events_disable, .invoker = str_eq(r->o->definer, "invoker")};
	struct rename_found found = {0};
	bool made = false;

	needs_follow_mode(&mode, &text);
	*s->ansi_quotes = mode.ansi_quotes;
	buf_init(&changed, 2 * s->n + 4096);
	buf_init(&definer, 4096);
	if (str_starts(s->member, "db/30-post/")) {
		new_definer(r, &text, &definer);
		if (buf_check(&definer, "definer", e))
			return -1;
		change.definer = definer.len ? definer.p : NULL;
		made = made_change(&changed, &text, &change);
	}
	if (buf_check(&changed, "a definition", e))
		return -1;
	if (made) {
		text.p = changed.p;
		text.n = changed.len;
	}
	if (renames(r) && (!is_body(s->member) || r->o->rewrite_bodies))
		rename_schema(out, &rename, &text, &found);
	else if (made)
		buf_add(out, text.p, text.n);
	return made || found.qualifiers;
}

static void describe(char *out, size_t size, const struct program *p)
{
	CLEANUP(freep) char *text = xasprintf("%s `%s`", p->kind, p->name);

	for (char *c = text; *c != '`'; c++)
		*c = (char)tolower((unsigned char)*c);
	str_cut(out, size, text);
}

static void tell_definers(struct restore *r)
{
	bool dry = r->o->dry_run, keep = str_eq(r->o->definer, "keep");
	const struct needs *n = &r->needs;
	char what[256], count[UNITS_COUNT];
	unsigned changed = 0;

	for (size_t i = 0; i < n->programs.n; i++) {
		const struct program *p = &n->programs.v[i];
		const struct need *d = needs_find(n, NEED_DEFINER, p->definer);

		if (!d || (keep ? !d->changed : str_eq(p->definer, r->o->definer)))
			continue;
		describe(what, sizeof(what), p);
		job_say(r->o->job, "%s %s another DEFINER; it was %s", what, dry ? "would get" : "gets", p->definer);
		changed++;
	}
	if (!changed)
		return;
	units_count(count, changed, "view or program", "views and programs");
	if (keep)
		job_warn(r->o->job, "%s %s the restoring account as DEFINER: the one of the backup is not on this server, or may not "
			 "be set", count, dry ? "would get" : "got");
	else
		job_say(r->o->job, "%s %s another DEFINER, as asked", count, dry ? "would get" : "got");
}

/* What would still use the database from which the dump came. */
static void tell_qualifiers(struct restore *r)
{
	const struct needs *n = &r->needs;
	char what[256], count[UNITS_COUNT];
	unsigned left = 0;

	for (size_t i = 0; renames(r) && i < n->programs.n; i++) {
		const struct program *p = &n->programs.v[i];
		bool view = str_eq(p->kind, "VIEW"), body = !view && !r->o->rewrite_bodies && p->found.qualifiers;

		/* only a program can run what a string says */
		if (!body && (view || !p->found.texts) && !p->found.compared)
			continue;
		left++;
		describe(what, sizeof(what), p);
		if (body)
			job_say(r->o->job, "%s names the database `%s` and will go on using it, not `%s`", what, r->source_db,
				r->target_db);
		else
			job_say(r->o->job, "%s has a string that names the database `%s`; strings are never changed", what,
				r->source_db);
	}
	if (left)
		job_warn(r->o->job, "%s of the copy still %s `%s`%s", units_count(count, left, "program", "programs"),
			 left == 1 ? "names" : "name", r->source_db,
			 r->o->rewrite_bodies ? "" : " (--rewrite-bodies changes all but strings)");
}

static void tell_events(struct restore *r, bool scheduler)
{
	char count[UNITS_COUNT];
	unsigned run = 0;

	for (size_t i = 0; i < r->needs.programs.n; i++)
		run += r->needs.programs.v[i].enabled;
	if (!run || r->o->in_place)
		return;
	units_count(count, run, "event", "events");
	if (r->o->events_disable)
		job_say(r->o->job, "%s %s disabled in the copy", count, r->o->dry_run ? "would be" : run == 1 ? "is" : "are");
	else if (scheduler)
		job_warn(r->o->job, "%s %s in the copy too: the event scheduler of the server is on (--events disable)", count,
			 r->o->dry_run ? "would run" : "will run");
	else
		job_say(r->o->job, "%s %s by: the event scheduler of the server is off", count, run == 1 ? "stands" : "stand");
}

static void tell_names(struct restore *r)
{
	bool dry = r->o->dry_run;
	size_t changed = 0;
	char kind[16];

	for (size_t i = 0; i < r->needs.names.n; i++) {
		const struct named *n = &r->needs.names.v[i];

		if (!n->here)
			continue;
		str_cut(kind, sizeof(kind), n->kind);
		for (char *c = kind; *c; c++)
			*c = (char)tolower((unsigned char)*c);
		job_say(r->o->job, "%s `%s` %s called `%s`", kind, n->name, dry ? "would be" : "is", n->here);
		changed++;
	}
	if (changed)
		job_warn(r->o->job, "%zu %s other names in the copy: the server here keeps names in small letters "
			 "(lower_case_table_names=1)", changed, changed == 1 ? "table has" : "tables and views have");
}

static void tell_cluster(struct restore *r)
{
	bool dry = r->o->dry_run;
	char who[ERR_MSG_MAX / 2];

	if (!r->cluster.there)
		return;
	cluster_text(&r->cluster, who, sizeof(who));
	job_say(r->o->job, "the server is %s: all nodes %s the copy", who, dry ? "would get" : "get");
	for (size_t i = 0; i < r->needs.n; i++) {
		const struct need *n = &r->needs.v[i];

		if (n->kind == NEED_ENGINE && cluster_keeps(&r->cluster, n->text))
			job_warn(r->o->job, "%s is %s%s: the cluster %s its definition to the other nodes, not its rows", n->first,
				 n->text, n->count > 1 ? ", as others are" : "", dry ? "would give" : "gives");
	}
}

void restore_tell_changes(struct restore *r, bool scheduler)
{
	tell_cluster(r);
	tell_names(r);
	tell_definers(r);
	tell_qualifiers(r);
	tell_events(r, scheduler);
}
