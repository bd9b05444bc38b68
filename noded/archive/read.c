/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "noded/archive/reader_priv.h"
#include "shared/hash.h"
#include "shared/list.h"
#include "shared/mem.h"
#include "shared/str.h"

/* Reading of members: a list of ranges is made from the index, each row of
 * neighbouring ranges is one request, unpack cuts it into members, and each is
 * checked against the index while it goes to the sink. */

enum { PROGRESS_BYTES = 1 << 20, RANGES_FIRST = 4096, DAMAGES_MAX = 1 << 16, SEEN_MAX = 1 << 22, NAMED_MAX = 3 };

struct damage {
	uint64_t at, end;       /* ranges that are lost */
	uint32_t *seen;         /* skip of each member that came nevertheless, in order */
	size_t n_seen;
	char *why;
};
struct wanted_range {
	struct unpack_range range;
	uint64_t members;       /* wanted ones in it */
};
struct reading {
	struct archive_reader *r;
	const struct archive_read_opts *o;
	const struct tar_sink *sink;
	struct archive_read_result *res;
	const char *only;               /* a single member, or NULL */
	bool indexed;
	struct unpack *unpack;
	struct { LIST_OF(struct wanted_range); } ranges;
	struct { LIST_OF(struct unpack_range); } row; /* of them, read at once */
	size_t row_from;                /* the first of them */
	size_t sort_at;                 /* ranges are sorted and made single at this many */
	size_t prefix;                  /* the one looked for */
	struct { LIST_OF(uint32_t); } seen; /* members of this range that came */
	struct { LIST_OF(struct damage); } damages;
	size_t kept;                    /* seen, in all damages */
	uint64_t said;                  /* fetched, as progress was told last */
	bool fatal;                     /* the error is not of the source */
	/* the member at work */
	struct sha256 *hash;
	char *name;
	uint8_t want[SHA256_LEN];
	bool file;
};

static const struct archive_read_opts no_opts;

/* ---- which members */

static bool matches(const char *name, const char *prefix)
{
	size_t n = strlen(prefix);

	if (n && prefix[n - 1] == '*')
		return strncmp(name, prefix, n - 1) == 0;
	while (n && prefix[n - 1] == '/')
		n--;
	return strncmp(name, prefix, n) == 0 && (name[n] == '\0' || name[n] == '/');
}

static bool wanted(const struct reading *d, const char *name)
{
	if (d->only)
		return str_eq(name, d->only);
	if (d->o->leave && d->o->leave(d->o->ctx, name))
		return false;
	for (size_t i = 0; i < d->o->n_prefixes; i++)
		if (matches(name, d->o->prefixes[i]))
			return true;
	return d->o->n_prefixes == 0;
}

static int by_offset(const void *a, const void *b)
{
	const struct wanted_range *x = a, *y = b;

	return x->range.at < y->range.at ? -1 : x->range.at > y->range.at;
}

/* Sorted, each once. ERR_DAMAGED when they overlap. */
static int tidy_ranges(struct reading *d, struct err *e)
{
	size_t n = 0;

	if (d->ranges.n)
		qsort(d->ranges.v, d->ranges.n, sizeof(*d->ranges.v), by_offset);
	for (size_t i = 0; i < d->ranges.n; i++) {
		struct wanted_range w = d->ranges.v[i], *last = n ? &d->ranges.v[n - 1] : NULL;
		struct unpack_range r = w.range;

		if (last && last->range.at == r.at && last->range.len == r.len) {
			last->members += w.members;
			continue;
		}
		if ((last && last->range.at + last->range.len > r.at) || r.at + r.len < r.at)
			return err_set(e, ERR_DAMAGED, "the index has ranges that overlap at %llu",
				       (unsigned long long)r.at);
		d->ranges.v[n++] = w;
	}
	d->ranges.n = n;
	d->sort_at = n * 2 > RANGES_FIRST ? n * 2 : RANGES_FIRST;
	return 0;
}

static int on_range(void *ctx, const struct archive_entry *entry, struct err *e)
{
	struct reading *d = ctx;
	struct wanted_range *last = d->ranges.n ? &d->ranges.v[d->ranges.n - 1] : NULL;

	if (!wanted(d, entry->name))
		return 0;
	for (size_t i = 0; i < d->prefix; i++)
		if (matches(entry->name, d->o->prefixes[i]))
			return 0; /* counted already */
	if (last && last->range.at == entry->at && last->range.len == entry->len) {
		last->members++;
		return 0;
	}
	*list_push(&d->ranges) = (struct wanted_range){{entry->at, entry->len}, 1};
	return d->ranges.n > d->sort_at ? tidy_ranges(d, e) : 0;
}

/* The part of a prefix that the index can be searched with. */
static char *search_text(const char *prefix)
{
	size_t n = strlen(prefix);

	if (n && prefix[n - 1] == '*')
		n--;
	else
		while (n && prefix[n - 1] == '/')
			n--;
	return xstrndup(prefix, n);
}

static int make_ranges(struct reading *d, struct err *e)
{
	d->sort_at = RANGES_FIRST;
	if (d->o->n_prefixes == 0 && archive_list(d->r, "", on_range, d, e))
		return -1;
	for (size_t i = 0; i < d->o->n_prefixes; i++) {
		CLEANUP(freep) char *text = search_text(d->o->prefixes[i]);

		d->prefix = i;
		if (archive_list(d->r, text, on_range, d, e))
			return -1;
	}
	return tidy_ranges(d, e);
}

/* ---- members that come */

/* What is not in the index, or in another place (frames of a disk came back
 * exchanged), is passed over: where it should be it is missed. */
static int on_begin(void *ctx, const struct tar_entry *t, const struct unpack_place *at, struct err *e)
{
	struct reading *d = ctx;
	const struct index_place place = {at->range->at, at->skip};
	const struct archive_entry *found = NULL;

	if (!wanted(d, t->name))
		return 0;
	if (d->o->stop && d->o->stop(d->o->ctx))
		return err_set(e, ERR_ABORTED, "stopped at %s", t->name);
	d->file = false;
	if (d->indexed) {
		if (index_find(d->r->index, t->name, &place, &found, e))
			return -1;
		if (!found || found->type != t->type)
			return 0;
		d->file = t->type == '0';
		if (d->file && hex_decode(d->want, sizeof(d->want), found->sha256))
			return err_set(e, ERR_INTERNAL, "%s has no digest", t->name);
		if (d->seen.n < SEEN_MAX)
			*list_push(&d->seen) = (uint32_t)at->skip;
	}
	free(d->name);
	d->name = xstrdup(t->name);
	return d->sink && d->sink->begin(d->sink->ctx, t, e) ? -1 : 1;
}

static int on_write(void *ctx, const void *p, size_t n, struct err *e)
{
	struct reading *d = ctx;

	sha256_add(d->hash, p, n);
	d->res->bytes += n;
	return d->sink ? d->sink->write(d->sink->ctx, p, n, e) : 0;
}

static void fail_member(struct reading *d)
{
	uint8_t digest[SHA256_LEN];

	sha256_end(d->hash, digest); /* begins anew */
	if (d->sink && d->sink->fail)
		d->sink->fail(d->sink->ctx);
}

static int on_end(void *ctx, struct err *e)
{
	struct reading *d = ctx;
	uint8_t digest[SHA256_LEN];

	sha256_end(d->hash, digest);
	if (d->file && !hash_equal(digest, d->want, sizeof(digest))) {
		static const char why[] = "its SHA-256 is not that of the index";

		fail_member(d);
		d->res->damaged++;
		if (!d->o->damaged)
			return err_set(e, ERR_DAMAGED, "%s: %s", d->name, why);
		d->o->damaged(d->o->ctx, d->name, why);
		return 0;
	}
	d->res->members++;
	return d->sink ? d->sink->end(d->sink->ctx, e) : 0;
}

/* ---- damage */

static int keep_damage(struct reading *d, const struct unpack_range *r, const char *why, struct err *e)
{
	struct damage *last = d->damages.n ? &d->damages.v[d->damages.n - 1] : NULL;

	if (last && last->end == r->at && !d->seen.n && !last->n_seen) { /* an archive that is cut short is one place */
		last->end = r->at + r->len;
		return 0;
	}
	d->kept += d->seen.n;
	if (d->damages.n == DAMAGES_MAX || d->kept > SEEN_MAX)
		return err_set(e, ERR_DAMAGED, "more places of the archive are damaged than can be told (%zu): %.300s",
			       d->damages.n, why);
	last = list_push(&d->damages);
	*last = (struct damage){.at = r->at, .end = r->at + r->len, .n_seen = d->seen.n, .why = xstrdup(why)};
	if (d->seen.n)
		last->seen = xmemdup(d->seen.v, d->seen.n * sizeof(*d->seen.v));
	d->seen.n = 0;
	return d->o->damaged ? 0 : err_set(e, ERR_DAMAGED, "%s", why);
}

static int on_damaged(void *ctx, const struct unpack_damage *u, struct err *e)
{
	struct reading *d = ctx;

	if (u->cut) {
		fail_member(d);
		if (d->seen.n)
			d->seen.n--;
	}
	return keep_damage(d, u->range, u->why->msg, e);
}

/* Frames that are sound by themselves may be others than those of the index. */
static int on_passed(void *ctx, const struct unpack_range *range, struct err *e)
{
	struct reading *d = ctx;
	const struct wanted_range *w = &d->ranges.v[d->row_from + (size_t)(range - d->row.v)];

	if (d->indexed && d->seen.n != w->members)
		return keep_damage(d, range, "other members are there than the index says", e);
	d->seen.n = 0;
	return 0;
}

/* The damage that holds the member; NULL when it is none of those lost in it. */
static const struct damage *damage_of(const struct reading *d, const struct archive_entry *entry)
{
	size_t low = 0, high = d->damages.n;
	const struct damage *x;

	while (low < high) { /* the first that ends behind it */
		size_t mid = low + (high - low) / 2;

		if (d->damages.v[mid].end <= entry->at)
			low = mid + 1;
		else
			high = mid;
	}
	x = low < d->damages.n ? &d->damages.v[low] : NULL;
	if (!x || entry->at < x->at || !wanted(d, entry->name))
		return NULL;
	for (size_t i = 0; i < x->n_seen; i++)
		if (x->seen[i] == entry->skip)
			return NULL;
	return x;
}

struct naming {
	struct reading *d;
	struct buf names;
	uint64_t n;
};

static int on_lost_entry(void *ctx, const struct archive_entry *entry, struct err *e UNUSED)
{
	struct naming *x = ctx;
	struct reading *d = x->d;
	const struct damage *lost = damage_of(d, entry);

	if (!lost)
		return 0;
	if (d->o->damaged)
		d->o->damaged(d->o->ctx, entry->name, lost->why);
	else if (x->n < NAMED_MAX)
		buf_addf(&x->names, "%s%.100s", x->n ? ", " : "", entry->name);
	x->n++;
	return 0;
}

/* Tell the members that are lost; an error when nobody else hears it. */
static int tell_damages(struct reading *d, struct err *e)
{
	struct naming x = {.d = d};
	int failed;

	buf_init(&x.names, 1024);
	failed = d->indexed ? archive_list(d->r, "", on_lost_entry, &x, e) : 0;
	d->res->damaged += x.n;
	if (!failed && !d->o->damaged)
		failed = err_set(e, ERR_DAMAGED, "%.200s: %s%s cannot be read", d->damages.v[0].why,
				 d->only ? d->only : x.names.p, x.n > NAMED_MAX && !d->only ? " and others" : "");
	buf_done(&x.names);
	return failed ? -1 : 0;
}

/* ---- the run */

static int on_data(void *ctx, const void *p, size_t n, struct err *e)
{
	struct reading *d = ctx;

	d->res->fetched += n;
	if (d->o->progress && d->res->fetched - d->said >= PROGRESS_BYTES) {
		d->said = d->res->fetched;
		d->o->progress(d->o->ctx, d->res->fetched);
	}
	if (d->o->stop && d->o->stop(d->o->ctx))
		return err_set(e, ERR_ABORTED, "stopped");
	d->fatal = unpack_add(d->unpack, p, n, e) != 0;
	return d->fatal ? -1 : 0;
}

/* Ranges [from, to), which lie one behind the other. */
static int read_row(struct reading *d, size_t from, size_t to, struct err *e)
{
	const struct archive_object *a = &d->r->archive;
	const struct unpack_range *last = &d->ranges.v[to - 1].range;
	uint64_t at = d->ranges.v[from].range.at, end = last->at + last->len;
	struct err why = {0};

	d->row.n = 0;
	d->row_from = from;
	for (size_t i = from; i < to; i++)
		*list_push(&d->row) = d->ranges.v[i].range;
	unpack_start(d->unpack, d->row.v, d->row.n);
	if (end > a->size)
		err_fill(&why, ERR_DAMAGED, 0, "the archive ends at %llu", (unsigned long long)a->size);
	end = end > a->size ? a->size : end;
	if (at < end && a->read_at(a->ctx, at, end - at, on_data, d, &why) && (d->fatal || why.kind != ERR_DAMAGED)) {
		if (e)
			*e = why;
		return -1;
	}
	return unpack_end(d->unpack, &why, e);
}

static int read_ranges(struct reading *d, struct err *e)
{
	const struct unpack_ops ops = {on_begin, on_write, on_end, on_damaged, on_passed, d};
	int failed = 0;

	d->unpack = unpack_new(&ops);
	d->hash = sha256_new();
	for (size_t from = 0, to; !failed && from < d->ranges.n; from = to) {
		for (to = from + 1; to < d->ranges.n; to++)
			if (d->ranges.v[to - 1].range.at + d->ranges.v[to - 1].range.len != d->ranges.v[to].range.at)
				break;
		failed = read_row(d, from, to, e);
	}
	if (d->damages.n && (!failed || !d->o->damaged))
		failed = tell_damages(d, e) || failed ? -1 : 0;
	unpack_free(d->unpack);
	sha256_free(d->hash);
	free(d->name);
	for (size_t i = 0; i < d->damages.n; i++) {
		free(d->damages.v[i].why);
		free(d->damages.v[i].seen);
	}
	list_done(&d->damages);
	list_done(&d->ranges);
	list_done(&d->row);
	list_done(&d->seen);
	return failed;
}

int archive_read(struct archive_reader *r, const struct archive_read_opts *o, const struct tar_sink *sink,
		 struct archive_read_result *ret, struct err *e)
{
	struct archive_read_result res = {0};
	struct reading d = {.r = r, .o = o ? o : &no_opts, .sink = sink, .res = ret ? ret : &res, .indexed = true};

	*d.res = res;
	if (make_ranges(&d, e)) {
		list_done(&d.ranges);
		return -1;
	}
	return read_ranges(&d, e);
}

/* ---- one member */

static int one_begin(void *ctx UNUSED, const struct tar_entry *t UNUSED, struct err *e UNUSED)
{
	return 0;
}

static int one_write(void *ctx, const void *p, size_t n, struct err *e)
{
	const struct one *one = ctx;

	return one->fn(one->ctx, p, n, e);
}

static int one_end(void *ctx UNUSED, struct err *e UNUSED)
{
	return 0;
}

int reader_one(struct archive_reader *r, struct one *one, struct err *e)
{
	const struct tar_sink sink = {.begin = one_begin, .write = one_write, .end = one_end, .ctx = one};
	struct archive_read_result res = {0};
	struct reading d = {.r = r, .o = &no_opts, .sink = &sink, .res = &res, .only = one->name,
			    .indexed = one->indexed};

	*list_push(&d.ranges) = (struct wanted_range){one->range, 1};
	if (read_ranges(&d, e))
		return -1;
	if (res.members == 0)
		return err_set(e, ERR_DAMAGED, "%s is not where the index says", one->name);
	return 0;
}

/* ---- stored bytes */

struct checking {
	struct reading d;
	const struct json *part;
	uint64_t at, left;              /* of the part: its start, bytes to come */
	uint64_t lost_to;               /* members up to here were named */
	uint64_t named;                 /* members in the part */
	bool cut;                       /* all from here on is gone */
};

static const char cut_short[] = "the archive is cut short before it";

static int on_part_entry(void *ctx, const struct archive_entry *entry, struct err *e UNUSED)
{
	struct checking *c = ctx;
	uint64_t end = c->cut ? UINT64_MAX : c->at + (uint64_t)json_get_int(c->part, "size", 0);

	if (entry->at >= end || entry->at + entry->len <= (c->cut ? c->d.r->archive.size : c->at))
		return 0;
	c->named++;
	if (entry->at < c->lost_to) /* the part before was wrong too */
		return 0;
	c->d.res->damaged++;
	c->d.o->damaged(c->d.o->ctx, entry->name,
			c->cut ? cut_short : "its stored bytes do not agree with their SHA-256");
	return 0;
}

/* Name the members of the part, or of all that is cut off. */
static int lose_part(struct checking *c, struct err *e)
{
	c->named = 0;
	if (archive_list(c->d.r, "", on_part_entry, c, e))
		return -1;
	if (c->named == 0 || c->cut) {
		c->d.res->damaged++;
		c->d.o->damaged(c->d.o->ctx, "manifest.json",
				c->cut ? cut_short : "the end of the archive does not agree with its SHA-256");
	}
	return 0;
}

/* The part has come whole. */
static int end_part(struct checking *c, struct err *e)
{
	uint8_t digest[SHA256_LEN], want[SHA256_LEN];
	uint64_t size = (uint64_t)json_get_int(c->part, "size", 0);

	sha256_end(c->d.hash, digest);
	if (hex_decode(want, sizeof(want), json_get_str(c->part, "sha256", "")) ||
	    !hash_equal(digest, want, sizeof(want))) {
		if (!c->d.o->damaged)
			return err_set(e, ERR_DAMAGED, "stored bytes %llu to %llu do not agree with their SHA-256",
				       (unsigned long long)c->at, (unsigned long long)(c->at + size));
		if (lose_part(c, e))
			return -1;
		c->lost_to = c->at + size;
	} else {
		c->d.res->members++;
	}
	c->at += size;
	c->part = json_next(c->part);
	c->left = c->part ? (uint64_t)json_get_int(c->part, "size", 0) : 0;
	return 0;
}

static int on_stored(void *ctx, const void *p, size_t n, struct err *e)
{
	struct checking *c = ctx;
	const char *at = p;

	c->d.res->fetched += n;
	if (c->d.o->stop && c->d.o->stop(c->d.o->ctx))
		return err_set(e, ERR_ABORTED, "stopped");
	if (c->d.o->progress)
		c->d.o->progress(c->d.o->ctx, c->d.res->fetched);
	while (n && c->part) {
		size_t take = c->left < n ? (size_t)c->left : n;

		sha256_add(c->d.hash, at, take);
		c->left -= take;
		at += take;
		n -= take;
		if (c->left == 0 && end_part(c, e))
			return -1;
	}
	return 0;
}

/* Parts without gaps, from the first byte to the last; their sum. */
static int check_parts(const struct archive_reader *r, const struct json *parts, uint64_t *total, struct err *e)
{
	int64_t at = 0;

	for (const struct json *p = json_first(parts); p; p = json_next(p)) {
		int64_t size = json_get_int(p, "size", -1);

		if (json_get_int(p, "offset", -1) != at || size <= 0 || size > INT64_MAX - at)
			return err_set(e, ERR_DAMAGED, "the parts in the sidecar are not one behind the other");
		at += size;
	}
	*total = (uint64_t)at;
	if (*total < r->archive.size)
		return err_set(e, ERR_DAMAGED, "the archive has %llu bytes, its sidecar says %lld",
			       (unsigned long long)r->archive.size, (long long)at);
	return 0;
}

int archive_verify_parts(struct archive_reader *r, const struct archive_read_opts *o, struct archive_read_result *ret,
			 struct err *e)
{
	const struct json *parts = json_get(r->header, "parts");
	struct archive_read_result res = {0};
	struct checking c = {.d = {.r = r, .o = o ? o : &no_opts, .res = ret ? ret : &res}};
	uint64_t total;
	int failed;

	*c.d.res = res;
	if (json_type(parts) != JSON_ARRAY)
		return err_set(e, ERR_INVALID, "the digests of the stored bytes are in the sidecar, and there is none");
	if (check_parts(r, parts, &total, e))
		return -1;
	c.part = json_first(parts);
	c.left = (uint64_t)json_get_int(c.part, "size", 0);
	c.d.hash = sha256_new();
	failed = r->archive.size && r->archive.read_at(r->archive.ctx, 0, r->archive.size, on_stored, &c, e);
	if (!failed && total > r->archive.size) {
		c.cut = true;
		failed = c.d.o->damaged ? lose_part(&c, e) :
			 err_set(e, ERR_DAMAGED, "the archive is cut short: %llu of %llu bytes are there",
				 (unsigned long long)r->archive.size, (unsigned long long)total);
	}
	sha256_free(c.d.hash);
	return failed ? -1 : 0;
}
