/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/live_change.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "masterd/live_put.h"
#include "shared/mem.h"

enum { NUMBERS_LEN = 230 };

#define FNV_START UINT64_C(14695981039346656037)
#define FNV_PRIME UINT64_C(1099511628211)

void changes_init(struct changes *c, uint64_t version)
{
	c->known = version;
}

void changes_done(struct changes *c)
{
	for (size_t i = 0; i < GONE_KEPT; i++)
		free(c->gone[i].tags);
}

static void unlink_it(struct changes *c, struct live_node *n)
{
	if (n->newer)
		n->newer->older = n->older;
	else if (c->newest == n)
		c->newest = n->older;
	if (n->older)
		n->older->newer = n->newer;
	n->older = n->newer = NULL;
}

static void move(struct changes *c, struct live_node *n, uint64_t version)
{
	unlink_it(c, n);
	n->older = c->newest;
	if (n->older)
		n->older->newer = n;
	c->newest = n;
	n->changed = version;
}

void changes_line(struct changes *c, struct live_node *n, uint64_t version)
{
	n->line_changed = version;
	move(c, n, version);
}

/* FNV-1a: only to notice that something is not as it was. */
static uint64_t mix(uint64_t h, const void *p, size_t n)
{
	const unsigned char *b = p;

	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * FNV_PRIME;
	return h;
}

static uint64_t mix_int(uint64_t h, int64_t v)
{
	return mix(h, &v, sizeof(v));
}

/* All of a line that a report or the time changes, but for the numbers. */
static uint64_t sum_of(const struct live_node *n)
{
	uint64_t h = mix_int(mix_int(FNV_START, n->health), n->liveness);
	int64_t next = 0;

	for (unsigned i = 0; i < n->n_reasons; i++)
		h = mix(h, n->reasons[i], strlen(n->reasons[i]) + 1);
	for (size_t i = 0; i < n->last.timers.n; i++)
		if (n->last.timers.v[i].next && (!next || n->last.timers.v[i].next < next))
			next = n->last.timers.v[i].next;
	for (size_t i = 0; i < n->last.runs.n; i++) {
		const struct wire_progress *r = &n->last.runs.v[i];

		h = mix(h, r->uuid, strlen(r->uuid) + 1);
		h = mix(h, r->phase, strlen(r->phase) + 1);
		h = mix_int(mix_int(h, r->bytes_done), r->bytes_stored);
	}
	h = mix(h, n->last.agent_version, strlen(n->last.agent_version));
	return mix_int(mix_int(h, next), n->skewed);
}

static struct live_shown shown_of(const struct live_node *n)
{
	struct live_shown s = {.sum = sum_of(n), .cpu = n->last.cpu, .disk = n->last.disk, .memory = -1,
			       .backups = n->last.active_backups};

	if (n->last.mem_total > 0 && n->last.mem_used >= 0)
		s.memory = 100.0 * (double)n->last.mem_used / (double)n->last.mem_total;
	return s;
}

static bool moved(double was, double is)
{
	return isnan(was) != isnan(is) || fabs(was - is) >= 1.0;
}

void changes_look(struct changes *c, struct live_node *n, uint64_t version, int64_t now)
{
	struct live_shown was = n->shown, is = shown_of(n);
	bool line = was.sum != is.sum;

	if (!line && !moved(was.cpu, is.cpu) && !moved(was.disk, is.disk) && !moved(was.memory, is.memory) &&
	    was.backups == is.backups && now - was.at < TOLD_EVERY_MS)
		return;
	is.at = now;
	n->shown = is;
	if (line)
		n->line_changed = version;
	move(c, n, version);
}

void changes_drop(struct changes *c, struct live_node *n, uint64_t version)
{
	struct gone *g = &c->gone[c->n_gone++ % GONE_KEPT];

	if (c->n_gone > GONE_KEPT)
		c->known = g->version;
	free(g->tags);
	g->id = n->n.id;
	g->version = version;
	g->tags = xstrdup(n->n.tags);
	unlink_it(c, n);
}

/* The one that changed first after since. */
static struct live_node *first_after(const struct changes *c, uint64_t since)
{
	struct live_node *first = NULL;

	for (struct live_node *n = c->newest; n && n->changed > since; n = n->older)
		first = n;
	return first;
}

static bool line_due(const struct live_node *n, const struct change_query *q)
{
	return n->line_changed > q->since && scope_sees_waiting(q->scope, n->n.tags, n->n.state == NODE_PENDING);
}

/* Those of which more than the numbers changed; *until: how far it went, what
 * put_numbers will need counted in. */
static size_t put_lines(const struct change_query *q, struct live_node *first, struct json_out *o, uint64_t *until)
{
	size_t start = o->b->len, got = 0, numbers = 0;

	json_arr(o, "items");
	for (struct live_node *n = first; n && o->b->len - start + numbers < q->max; n = n->newer) {
		*until = n->newer ? n->changed : q->now;
		if (n->line_changed <= q->since)
			numbers += NUMBERS_LEN;
		if (!line_due(n, q))
			continue;
		live_put_item(o, n);
		got++;
	}
	json_end_arr(o);
	return got;
}

static size_t put_numbers(const struct change_query *q, struct live_node *first, struct json_out *o, uint64_t until)
{
	size_t got = 0;

	json_arr(o, "samples");
	for (struct live_node *n = first; n && n->changed <= until; n = n->newer) {
		if (n->line_changed > q->since || !n->has_sample || !scope_sees_waiting(q->scope, n->n.tags, n->n.state == NODE_PENDING))
			continue;
		live_put_numbers(o, n);
		got++;
	}
	json_end_arr(o);
	return got;
}

static size_t put_gone(const struct changes *c, const struct change_query *q, struct live_node *first, struct json_out *o)
{
	size_t got = 0;

	json_arr(o, "gone");
	for (size_t i = c->n_gone; i > 0 && c->n_gone - i < GONE_KEPT; i--) {
		const struct gone *g = &c->gone[(i - 1) % GONE_KEPT];

		if (g->version <= q->since)
			break;
		if (!scope_sees_waiting(q->scope, g->tags, true))
			continue;
		json_put_int(o, NULL, g->id);
		got++;
	}
	/* it lost the tag by which it was seen */
	for (struct live_node *n = scope_is_all(q->scope) ? NULL : first; n; n = n->newer)
		/* or was approved without a tag by which it is seen */
		if ((n->tags_changed > q->since || (q->scope->untagged && n->line_changed > q->since)) &&
		    !scope_sees_waiting(q->scope, n->n.tags, n->n.state == NODE_PENDING)) {
			json_put_int(o, NULL, n->n.id);
			got++;
		}
	json_end_arr(o);
	return got;
}

int changes_put(const struct changes *c, struct change_query *q, struct json_out *o)
{
	struct live_node *first = first_after(c, q->since);
	uint64_t until = q->now;
	size_t got;

	if (q->since < c->known || q->since > q->now)
		return -1;
	got = put_lines(q, first, o, &until);
	got += put_numbers(q, first, o, until);
	got += put_gone(c, q, first, o);
	q->since = until;
	return got > 0;
}
