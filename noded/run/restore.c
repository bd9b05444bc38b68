/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/restore.h"

#include <stdlib.h>
#include <string.h>

#include "noded/run/restore_priv.h"
#include "noded/site.h"
#include "shared/clock.h"
#include "shared/daemon.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"

static void restore_done(struct restore *r)
{
	restore_rows_free(r->rows);
	load_close(r->load);
	opened_close(&r->opened);
	if (r->access_ours)
		db_access_done(&r->access);
	needs_done(&r->needs);
	strings_done(&r->drop);
	free(r->source_db);
	free(r->target_db);
	free(r->old_db);
	strings_done(&r->tables);
	free(r->target_dir);
	strings_done(&r->whole);
	free(r->member);
	strings_done(&r->lost);
}

bool restore_stopping(void *ctx)
{
	(void)ctx;
	return daemon_stopping();
}

/* A name for our own ones to be made of: whole, or its beginning (in whole characters) and a digest of it, so
 * that two databases that begin alike never share a schema. At most max bytes. */
static char *short_name(const char *name, size_t max)
{
	enum { DIGEST_CHARS = 8 };
	size_t all = strlen(name), n = 0, step;
	uint8_t digest[SHA256_LEN];
	char hex[SHA256_HEX];
	uint32_t cp;

	if (all <= max)
		return xstrdup(name);
	while ((step = str_utf8_decode(name + n, all - n, &cp)) && n + step <= max - 1 - DIGEST_CHARS)
		n += step;
	sha256(digest, name, all);
	return xasprintf("%.*s_%.*s", (int)n, name, DIGEST_CHARS, hex_encode(hex, digest, sizeof(digest)));
}

static void choose_targets(struct restore *r)
{
	CLEANUP(freep) char *ours = short_name(r->source_db, 30), *copy = short_name(r->source_db, 40);
	char stamp[32];

	/* of the run that is restored: whoever was killed finds its own work again */
	str_cut(r->tag, sizeof(r->tag), json_get_str(r->opened.manifest, "run", ""));
	r->tag[strcspn(r->tag, "-")] = '\0';
	clock_format(stamp, sizeof(stamp), "%Y%m%d%H%M%S", clock_ms());
	r->old_db = xasprintf("%s_felloe_old_%s", ours, r->tag);
	if (r->o->in_place)
		r->target_db = xasprintf("felloe_scratch_%s_%s", r->tag, ours);
	else if (r->o->to_db)
		r->target_db = xstrdup(r->o->to_db);
	else if (r->o->same_names)
		r->target_db = xstrdup(r->source_db);
	else
		r->target_db = xasprintf("%s_restored_%s", copy, stamp);
	if (r->o->to_dir)
		r->target_dir = xstrdup(r->o->to_dir);
	else
		r->target_dir = xasprintf("./%s-restored-%s", json_get_str(r->opened.manifest, "site", "site"), stamp);
}

static int preflight(struct restore *r, struct err *e)
{
	r->wanted = 0;
	return (r->o->db && restore_look_at_database(r, e)) || (r->o->files && restore_look_at_files(r, e)) ? -1 : 0;
}

/* Will it fit, may we, is nothing in the way? */
static int look_first(struct restore *r, struct err *e)
{
	struct err why;

	if (preflight(r, e)) {
		if (!r->opened.sidecar || e->kind != ERR_DAMAGED)
			return -1;
		why = *e;
		if (opened_leave_sidecar(&r->opened, why.msg, e) || preflight(r, e))
			return -1;
	}
	if (r->opened.sidecar_damage)
		job_warn(r->o->job, "the sidecar is damaged, the index in the archive is used: %s", r->opened.sidecar_damage);
	return 0;
}

/* Files first: that they are there can be seen when the database was cut off, and not the other way round. */
static int load_and_unpack(struct restore *r, struct err *e)
{
	const struct restore_opts *o = r->o;

	if ((o->files && restore_files(r, e)) ||
	    (o->db && (restore_users(r, false, e) || restore_database(r, e) || restore_users(r, true, e))))
		return -1;
	if (o->files)
		restore_unpacked_end(r);
	return 0;
}

static int restore(struct restore *r, const struct found_archive *a, struct err *e)
{
	const struct restore_opts *o = r->o;

	/* What is in the archive? */
	job_phase(o->job, "plan");
	if (restore_open_archive(r, a, e))
		return -1;
	r->source_db = xstrdup(opened_db(&r->opened));
	choose_targets(r);
	if (look_first(r, e) || restore_refuse_cut(r, e) || (o->salvage && o->db && restore_find_losses(r, e)))
		return -1;
	o->job->progress.bytes_total = (int64_t)r->wanted;
	/* Load, unpack, compare. */
	job_phase(o->job, "restore");
	if (!o->dry_run && load_and_unpack(r, e)) {
		restore_explain(r, e);
		return -1;
	}
	r->out->fetched = r->opened.fetched;
	return 0;
}

int restore_archive(const struct restore_opts *o, const struct found_archive *a, struct restore_result *ret,
		    struct err *e)
{
	CLEANUP(restore_done) struct restore r = {.o = o, .out = ret};
	int rc;

	*ret = (struct restore_result){0};
	rc = restore(&r, a, e);
	if (*r.damage && o->damaged)
		o->damaged(o->damaged_ctx, a, r.damage);
	return rc;
}
