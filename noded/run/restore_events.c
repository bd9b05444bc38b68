/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/restore_events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "noded/run/restore.h"
#include "shared/buf.h"
#include "shared/json.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { LINE_MAX_LEN = 64 << 10 };

struct restore_events {
	struct buf b;
	struct json_out o;
	bool muted;
};

struct restore_events *restore_events_new(void)
{
	struct restore_events *v = xcalloc(1, sizeof(*v));

	buf_init(&v->b, LINE_MAX_LEN);
	return v;
}

void restore_events_free(struct restore_events *v)
{
	if (!v)
		return;
	buf_done(&v->b);
	free(v);
}

void restore_events_freep(struct restore_events **v)
{
	restore_events_free(*v);
}

void restore_events_mute(struct restore_events *v, bool on)
{
	if (v)
		v->muted = on;
}

static struct json_out *begin(struct restore_events *v, const char *event)
{
	buf_reset(&v->b);
	json_out_init(&v->o, &v->b);
	json_obj(&v->o, NULL);
	json_put_str(&v->o, "event", event);
	return &v->o;
}

/* A line that is too long would be cut in the middle: it is left out. */
static void end(struct restore_events *v)
{
	struct err ignored;

	json_end_obj(&v->o);
	if (buf_check(&v->b, "a line", &ignored) == 0)
		puts(v->b.p);
	fflush(stdout);
}

/* Names of tables, members and files are a stranger's bytes. */
static void put_text(struct json_out *o, const char *key, const char *text)
{
	if (text)
		json_put_strn(o, key, text, strlen(text));
	else
		json_put_null(o, key);
}

static void put_count(struct json_out *o, const char *key, int64_t n)
{
	if (n < 0)
		json_put_null(o, key);
	else
		json_put_int(o, key, n);
}

void restore_events_line(void *ctx, bool warning, const char *text)
{
	struct restore_events *v = ctx;

	if (v->muted)
		return;
	put_text(begin(v, warning ? "warning" : "note"), "text", text);
	end(v);
}

void restore_events_progress(void *ctx, const struct wire_progress *p)
{
	struct restore_events *v = ctx;
	struct json_out *o;

	if (v->muted)
		return;
	o = begin(v, "progress");
	put_text(o, "phase", p->phase);
	put_text(o, "item", p->item);
	json_put_int(o, "bytes_done", p->bytes_done);
	put_count(o, "bytes_total", p->bytes_total);
	put_count(o, "fetched", p->bytes_stored);
	json_put_num(o, "rate", p->rate);
	json_put_num(o, "rate_avg", p->rate_avg);
	end(v);
}

void restore_event_archive(struct restore_events *v, const char *run, const char *storage, const char *key)
{
	struct json_out *o;

	if (!v)
		return;
	o = begin(v, "archive");
	put_text(o, "run", run);
	put_text(o, "storage", storage);
	put_text(o, "key", key);
	end(v);
}

void restore_event_obstacle(struct restore_events *v, enum err_kind kind, const char *text)
{
	struct json_out *o;

	if (!v)
		return;
	o = begin(v, "obstacle");
	json_put_str(o, "kind", err_name(kind));
	put_text(o, "text", text);
	end(v);
}

void restore_event_lost(struct restore_events *v, const char *member, const char *why)
{
	struct json_out *o;

	if (!v)
		return;
	o = begin(v, "lost");
	put_text(o, "member", member);
	put_text(o, "why", why);
	end(v);
}

void restore_event_plan(struct restore_events *v, const struct restore_plan *p)
{
	struct json_out *o;

	if (!v)
		return;
	o = begin(v, "plan");
	json_put_str(o, "what", p->what);
	put_text(o, "from", p->from);
	put_text(o, "to", p->to);
	json_put_int(o, "members", (int64_t)p->members);
	json_put_int(o, "bytes", (int64_t)p->bytes);
	end(v);
}

void restore_event_table(struct restore_events *v, const struct restore_table *t)
{
	struct json_out *o;

	if (!v)
		return;
	o = begin(v, "table");
	put_text(o, "name", t->name);
	json_put_int(o, "rows", (int64_t)t->rows);
	put_count(o, "dumped", t->dumped);
	json_put_str(o, "digest", t->digest);
	end(v);
}

void restore_event_restored(struct restore_events *v, const struct restore_result *r)
{
	struct json_out *o;

	if (!v)
		return;
	o = begin(v, "restored");
	put_text(o, "database", *r->db ? r->db : NULL);
	json_put_int(o, "tables", (int64_t)r->tables);
	json_put_int(o, "rows", (int64_t)r->rows);
	json_put_int(o, "views_left", r->views_left);
	put_text(o, "dir", *r->dir ? r->dir : NULL);
	json_put_int(o, "files", (int64_t)r->files);
	json_put_int(o, "lost", (int64_t)r->lost);
	json_put_int(o, "fetched", (int64_t)r->fetched);
	end(v);
}

void restore_event_end(struct restore_events *v, bool dry_run, unsigned warnings, const struct err *e)
{
	struct json_out *o;
	CLEANUP(freep) char *text = e ? xstrdup(e->msg) : NULL;

	if (!v)
		return;
	if (text)
		str_clean(text);
	o = begin(v, "result");
	json_put_str(o, "state", e ? e->kind == ERR_ABORTED ? "aborted" : "failed" : warnings ? "warning" : "ok");
	json_put_bool(o, "dry_run", dry_run);
	json_put_int(o, "warnings", warnings);
	json_put_str(o, "error_kind", e ? err_name(e->kind) : NULL);
	put_text(o, "error", text);
	end(v);
}
