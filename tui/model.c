/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/buf.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"

static const struct {
	const char *name, *text;
} healths[] = {
	[H_FAILED] = {"failed", "✗ FAILED"},   [H_WARN] = {"warn", "▲ warn"},
	[H_OFFLINE] = {"offline", "○ offline"}, [H_RUNNING] = {"running", "» running"},
	[H_PAUSED] = {"paused", "‖ paused"},   [H_WAITING] = {"waiting", "… waiting"},
	[H_BLOCKED] = {"blocked", "○ blocked"}, [H_OK] = {"ok", "● ok"},
};

const char *health_text(enum health h)
{
	return healths[h].text;
}

const char *health_name(enum health h)
{
	return healths[h].name;
}

/* Texts of a page, in blocks that never move. */
struct text_block {
	struct text_block *next;
	size_t used, size;
	char v[];
};
enum { BLOCK = 16384, SMALL_BLOCK = 512, TEXT_MAX = 4096 };

static void blocks_free(struct text_block *b)
{
	while (b) {
		struct text_block *next = b->next;

		free(b);
		b = next;
	}
}

/* A cleaned copy that lives as long as the blocks; "" for NULL. */
static const char *keep(struct text_block **blocks, const char *s)
{
	size_t n = s ? strnlen(s, TEXT_MAX) : 0;
	char *p;

	if (n == 0)
		return "";
	if (!*blocks || (*blocks)->used + n + 1 > (*blocks)->size) {
		/* small first: most changes are of one row, and each keeps its block */
		size_t size = !*blocks ? SMALL_BLOCK : (*blocks)->size * 2 < BLOCK ? (*blocks)->size * 2 : BLOCK;
		struct text_block *b;

		size = size < n + 1 ? n + 1 : size;
		b = xmalloc(sizeof(*b) + size);
		*b = (struct text_block){.next = *blocks, .size = size};
		*blocks = b;
	}
	p = (*blocks)->v + (*blocks)->used;
	memcpy(p, s, n);
	p[n] = '\0';
	str_clean(p);
	(*blocks)->used += n + 1;
	return p;
}

/* "a, b" out of an array of texts or of objects with a name. */
static const char *joined(struct text_block **blocks, const struct json *array)
{
	struct buf b;
	const char *s;

	buf_init(&b, TEXT_MAX);
	for (const struct json *c = json_first(array); c; c = json_next(c)) {
		s = json_str(c);
		if (!s)
			s = json_get_str(c, "name", json_get_str(c, "detail", json_get_str(c, "text", NULL)));
		if (!s)
			continue;
		if (b.len)
			buf_adds(&b, ", ");
		buf_adds(&b, s);
	}
	s = keep(blocks, b.p);
	buf_done(&b);
	return s;
}

static double ratio(const struct json *j, const char *part, const char *whole)
{
	double w = json_get_num(j, whole, 0);

	return w > 0 ? json_get_num(j, part, NAN) * 100 / w : NAN;
}

static enum health health_from(const struct json *j, char state)
{
	const char *name = json_get_str(j, "health", "");

	if (state == 'b')
		return H_BLOCKED;
	if (state == 'p')
		return H_WAITING;
	for (size_t i = 0; i < ARRAY_LEN(healths); i++)
		if (str_eq(healths[i].name, name))
			return (enum health)i;
	return H_WARN; /* a word of a newer master: somebody should look */
}

static void sample_into(struct node *n, const struct json *sample)
{
	n->cpu = json_get_num(sample, "cpu_usage", NAN);
	n->disk = json_get_num(sample, "disk_usage", NAN);
	n->mem = ratio(json_get(sample, "memory"), "used", "total");
	n->ts = json_get_time(sample, "ts");
	if (n->seen == 0)
		n->seen = n->ts;
}

/* The first running backup, as the sample reports it. */
static void progress_into(struct node *n, const struct json *run)
{
	double done = json_get_num(run, "bytes_done", 0), total = json_get_num(run, "bytes_total", -1);
	double rate = json_get_num(run, "rate_avg", 0);

	n->running = run != NULL;
	n->run_percent = run && total > 0 ? fmin(done * 100 / total, 100) : NAN;
	n->run_left = run && rate > 0 && total > done ? (int64_t)((total - done) / rate * 1000) : -1;
}

static void last_into(struct node *n, const struct json *run)
{
	n->last_at = json_get_time(run, "finished");
	n->last_size = json_get_int(run, "bytes_stored", -1);
	n->last_state = RUN_OK;
	if (run_state_from(&n->last_state, json_get_str(run, "state", "")))
		n->last_at = 0;
}

static int64_t next_of(const struct json *timers)
{
	int64_t next = 0;

	for (const struct json *t = json_first(timers); t; t = json_next(t)) {
		int64_t at = json_get_time(t, "next");

		if (at && (next == 0 || at < next))
			next = at;
	}
	return next;
}

static void trend_into(struct node *n, const struct json *trend)
{
	size_t have = json_count(trend), i = have < TREND ? TREND - have : 0;

	memset(n->trend, TREND_GAP, sizeof(n->trend));
	for (const struct json *v = json_first(trend); v && i < TREND; v = json_next(v), i++)
		if (json_type(v) == JSON_NUMBER)
			n->trend[i] = (uint8_t)fmin(fmax(json_num(v), 0), 100);
}

static void node_from(struct node *n, struct text_block **blocks, const struct json *j)
{
	const char *state = json_get_str(j, "state", "active");
	const struct json *sample = json_get(j, "sample"), *info = json_get(j, "system_info"),
			  *timers = json_get(j, "timers");

	*n = (struct node){.id = (uint64_t)json_get_int(j, "id", 0), .state = state[0]};
	n->health = health_from(j, n->state);
	n->name = keep(blocks, json_get_str(j, "name", json_get_str(j, "hostname", "?")));
	n->hostname = keep(blocks, json_get_str(j, "hostname", NULL));
	n->peer = keep(blocks, json_get_str(j, "peer_address", json_get_str(j, "ip_address", NULL)));
	n->code = keep(blocks, json_get_str(j, "code", NULL));
	n->code_open = n->code[0] && !json_get_bool(j, "code_protected", false);
	n->name_in_use = json_get_bool(j, "name_in_use", false);
	n->reason = n->state == 'b' ? keep(blocks, json_get_str(j, "reason", NULL))
				    : joined(blocks, json_get(j, "reasons"));
	n->agent = keep(blocks, json_get_str(j, "agent_version", json_get_str(sample, "agent_version", NULL)));
	n->os = keep(blocks, json_get_str(j, "os", json_get_str(info, "os", json_str(info))));
	n->key = keep(blocks, json_get_str(j, "key_fingerprint", NULL));
	n->asked_by = keep(blocks, json_get_str(j, "asked_by", NULL));
	n->blocked_by = keep(blocks, json_get_str(j, "blocked_by", NULL));
	n->sites = joined(blocks, json_get(j, "sites"));
	n->timers = joined(blocks, timers);
	n->storages = joined(blocks, json_get(j, "storages"));
	n->created = json_get_time(j, "created");
	n->blocked_at = json_get_time(j, "blocked");
	n->seen = json_get_time(j, "last_seen");
	n->memory = json_get_int(j, "memory_bytes", json_get_int(json_get(sample, "memory"), "total", -1));
	n->cores = json_get_int(j, "cores", json_get_int(sample, "cores", -1));
	sample_into(n, sample);
	trend_into(n, json_get(j, "cpu_trend"));
	progress_into(n, json_first(json_get(j, "runs")));
	last_into(n, json_get(j, "last_run"));
	n->good_age = json_get_int(j, "last_good_age_s", -1);
	n->good_age = n->good_age < 0 ? -1 : n->good_age * 1000;
	n->never_good = json_get_int(j, "sites_never_good", 0);
	n->next_at = json_get_time(j, "next_run");
	if (n->next_at == 0)
		n->next_at = next_of(timers ? timers : json_get(sample, "timers"));
}

int page_from(struct page **ret, const struct json *items, struct err *e)
{
	struct page *p;
	size_t i = 0;

	if (json_type(items) != JSON_ARRAY)
		return err_set(e, ERR_INVALID, "the master's list of nodes is no list: is this a felloe-masterd?");
	p = xcalloc(1, sizeof(*p));
	p->refs = 1;
	p->v = xcalloc(json_count(items) + 1, sizeof(*p->v));
	for (const struct json *j = json_first(items); j; j = json_next(j))
		if (json_get_int(j, "id", 0) > 0) {
			node_from(&p->v[i], &p->text, j);
			p->v[i++].home = p;
		}
	p->n = i;
	*ret = p;
	return 0;
}

void page_unref(struct page *p)
{
	if (!p || atomic_fetch_sub(&p->refs, 1) != 1)
		return;
	blocks_free(p->text);
	free(p->v);
	free(p);
}

static int by_id(const void *a, const void *b)
{
	uint64_t x = (*(struct node *const *)a)->id, y = (*(struct node *const *)b)->id;

	return x < y ? -1 : x > y;
}

static void count(struct nodes *n, const struct node *row, int by)
{
	n->pending += (size_t)(row->state == 'p' ? by : 0);
	n->blocked += (size_t)(row->state == 'b' ? by : 0);
	n->by_health[row->health] += (size_t)by;
}

struct nodes *nodes_from(struct page *const *pages, size_t n_pages, int64_t at)
{
	struct nodes *n = xcalloc(1, sizeof(*n));
	bool ordered = true;

	n->refs = 1;
	n->at = at;
	for (size_t i = 0; i < n_pages; i++) {
		atomic_fetch_add(&pages[i]->refs, 1);
		*list_push(&n->pages) = pages[i];
		for (size_t k = 0; k < pages[i]->n; k++) {
			ordered &= n->n == 0 || n->v[n->n - 1]->id < pages[i]->v[k].id;
			*list_push(n) = &pages[i]->v[k];
			count(n, &pages[i]->v[k], 1);
		}
	}
	if (!ordered)
		qsort(n->v, n->n, sizeof(*n->v), by_id);
	return n;
}

static void bury(struct nodes *n)
{
	for (size_t i = 0; i < n->dead.n; i++)
		page_unref(n->dead.v[i]);
	n->dead.n = 0;
}

void nodes_unref(struct nodes *n)
{
	if (!n || atomic_fetch_sub(&n->refs, 1) != 1)
		return;
	bury(n);
	for (size_t i = 0; i < n->pages.n; i++)
		page_unref(n->pages.v[i]);
	list_done(&n->pages);
	list_done(&n->dead);
	list_done(n);
	free(n);
}

/* The place of id, or where it would stand. */
static size_t place_of(const struct nodes *n, uint64_t id)
{
	size_t lo = 0, hi = n->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (n->v[mid]->id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct node *nodes_row(struct nodes *n, uint64_t id, size_t *hint)
{
	size_t p = *hint;

	if (p >= n->n || n->v[p]->id != id)
		p = place_of(n, id);
	if (p == n->n || n->v[p]->id != id)
		return NULL;
	*hint = p + 1;
	return n->v[p];
}

const struct node *nodes_find(const struct nodes *n, uint64_t id)
{
	size_t p = n ? place_of(n, id) : 0;

	return n && p < n->n && n->v[p]->id == id ? n->v[p] : NULL;
}

/* A page without a row that is shown goes with the next change: somebody may look at it until then. */
static void unshow(struct nodes *n, struct node *row)
{
	struct page *p = row->home;

	count(n, row, -1);
	if (--p->used)
		return;
	for (size_t i = 0; i < n->pages.n; i++)
		if (n->pages.v[i] == p) {
			n->pages.v[i] = n->pages.v[--n->pages.n];
			*list_push(&n->dead) = p;
			return;
		}
}

static void begin_change(struct nodes *n)
{
	bury(n);
	if (n->counted)
		return;
	for (size_t i = 0; i < n->pages.n; i++)
		n->pages.v[i]->used = 0;
	for (size_t i = 0; i < n->n; i++)
		n->v[i]->home->used++;
	n->counted = true;
}

void nodes_replace(struct nodes *n, struct page *p)
{
	begin_change(n);
	if (!p || p->n == 0)
		return;
	atomic_fetch_add(&p->refs, 1);
	*list_push(&n->pages) = p;
	p->used = p->n;
	for (size_t i = 0; i < p->n; i++) {
		size_t at = place_of(n, p->v[i].id);

		if (at < n->n && n->v[at]->id == p->v[i].id) {
			unshow(n, n->v[at]);
		} else {
			(void)list_push(n);
			memmove(n->v + at + 1, n->v + at, (n->n - 1 - at) * sizeof(*n->v));
		}
		n->v[at] = &p->v[i];
		count(n, n->v[at], 1);
	}
}

void nodes_drop(struct nodes *n, uint64_t id)
{
	size_t at = place_of(n, id);

	if (at == n->n || n->v[at]->id != id)
		return;
	unshow(n, n->v[at]);
	memmove(n->v + at, n->v + at + 1, (--n->n - at) * sizeof(*n->v));
}

static void clean_sample(struct wire_sample *s)
{
	for (size_t i = 0; i < s->disks.n; i++)
		str_clean(s->disks.v[i].mount);
	for (size_t i = 0; i < s->runs.n; i++) {
		str_clean(s->runs.v[i].site);
		str_clean(s->runs.v[i].timer);
		str_clean(s->runs.v[i].item);
		str_clean(s->runs.v[i].storage);
		str_clean(s->runs.v[i].what);
		str_clean(s->runs.v[i].phase);
	}
	for (size_t i = 0; i < s->timers.n; i++) {
		str_clean(s->timers.v[i].name);
		str_clean(s->timers.v[i].on_calendar);
		str_clean(s->timers.v[i].result);
	}
}

/* The master keeps the timers beside the sample: the last that the node sent. */
static void timers_into(struct wire_sample *s, const struct json *timers, struct problems *p)
{
	if (s->timers.n)
		return;
	for (const struct json *t = json_first(timers); t; t = json_next(t))
		wire_timer_get(list_push(&s->timers), t, "timers", p);
}

static void missing_into(struct detail *d, const struct json *list)
{
	d->missing = xcalloc(json_count(list) + 1, sizeof(*d->missing));
	for (const struct json *m = json_first(list); m; m = json_next(m))
		d->missing[d->n_missing++] = (struct missing){keep(&d->text, json_get_str(m, "timer", "?")),
							      json_get_time(m, "due"), json_get_int(m, "count", 1)};
}

int detail_from(struct detail **ret, const struct json *j, int64_t at, struct err *e)
{
	const struct json *sample = json_get(j, "sample"), *sites = json_get(j, "sites");
	struct problems p = {0};
	struct detail *d;

	if (json_get_int(j, "id", 0) <= 0)
		return err_set(e, ERR_INVALID, "the master's answer is no node: is this a felloe-masterd?");
	d = xcalloc(1, sizeof(*d));
	d->at = at;
	node_from(&d->node, &d->text, j);
	wire_sample_init(&d->sample);
	if (json_type(sample) == JSON_OBJECT) {
		wire_sample_get(&d->sample, sample, "sample", &p); /* what it finds wrong stays unknown */
		d->has_sample = true;
	}
	timers_into(&d->sample, json_get(j, "timers"), &p);
	clean_sample(&d->sample);
	d->sites = xcalloc(json_count(sites) + 1, sizeof(*d->sites));
	for (const struct json *s = json_first(sites); s; s = json_next(s)) {
		d->sites[d->n_sites].name = keep(&d->text, json_str(s) ? json_str(s) : json_get_str(s, "name", "?"));
		d->sites[d->n_sites].damaged = json_get_int(s, "damaged", 0);
		d->sites[d->n_sites].proven = json_get_time(s, "proven");
		d->sites[d->n_sites++].last_good = json_get_time(s, "last_good");
	}
	missing_into(d, json_get(j, "missing_runs"));
	problems_done(&p);
	*ret = d;
	return 0;
}

void detail_free(struct detail *d)
{
	if (!d)
		return;
	wire_sample_done(&d->sample);
	blocks_free(d->text);
	free(d->sites);
	free(d->missing);
	free(d);
}

struct series *series_from(const struct json *j, int64_t to, int64_t step, size_t n)
{
	const struct json *items = json_type(j) == JSON_ARRAY ? j : json_get(j, "items");
	struct series *s = xcalloc(1, sizeof(*s));

	s->cpu = xcalloc(n + 1, sizeof(double));
	s->n = n;
	s->step = step;
	s->from = to - step * (int64_t)n;
	for (size_t i = 0; i < n; i++)
		s->cpu[i] = NAN;
	for (const struct json *p = json_first(items); p; p = json_next(p)) {
		int64_t ts = json_get_time(p, "ts");
		int64_t place = ts >= s->from ? (ts - s->from) / step : -1;
		double cpu = json_get_num(p, "cpu_usage", json_get_num(p, "cpu", NAN));

		if (place >= 0 && place < (int64_t)n)
			s->cpu[place] = isnan(s->cpu[place]) ? cpu : fmax(s->cpu[place], cpu);
	}
	return s;
}

void series_free(struct series *s)
{
	if (!s)
		return;
	free(s->cpu);
	free(s);
}

int runs_from(struct runs **ret, const struct json *items, int64_t at, struct err *e)
{
	struct problems p = {0};
	struct runs *r;

	if (json_type(items) != JSON_ARRAY)
		return err_set(e, ERR_INVALID, "the master's list of runs is no list: is this a felloe-masterd?");
	r = xcalloc(1, sizeof(*r));
	r->at = at;
	r->v = xcalloc(json_count(items) + 1, sizeof(*r->v));
	for (const struct json *j = json_first(items); j; j = json_next(j)) {
		struct wire_run *run = &r->v[r->n++];

		wire_run_init(run);
		wire_run_get(run, j, "", &p);
		str_clean(run->site);
		str_clean(run->timer);
		str_clean(run->error);
		str_clean(run->node);
		str_clean(run->what);
	}
	problems_done(&p);
	*ret = r;
	return 0;
}

void runs_free(struct runs *r)
{
	for (size_t i = 0; r && i < r->n; i++)
		wire_run_done(&r->v[i]);
	if (r)
		free(r->v);
	free(r);
}
