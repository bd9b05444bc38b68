/* SPDX-License-Identifier: Apache-2.0 */
/* writer and reader over archives in memory, good and broken */
#include "noded/archive/writer.c"

#include <stdio.h>
#include <unistd.h>

#include "noded/archive/reader.h"
#include "noded/files/extract.h"
#include "tests/unit.h"

struct pair {
	struct buf archive, sidecar;
};

static int add_out(void *b, const void *p, size_t n, struct err *e)
{
	buf_add(b, p, n);
	return buf_check(b, "archive", e);
}

static int read_buf(void *ctx, uint64_t offset, uint64_t n, archive_data_fn *data, void *data_ctx, struct err *e)
{
	const struct buf *b = ctx;

	for (size_t part; n; n -= part, offset += part) { /* odd pieces, as a network gives them */
		part = n < 7919 ? (size_t)n : 7919;
		if (offset + part > b->len)
			return err_set(e, ERR_DAMAGED, "short");
		if (data(data_ctx, b->p + offset, part, e))
			return -1;
	}
	return 0;
}

static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* "files/00042" holds size_of(42) bytes made from 42; one in fifty has a frame of its own, 7 two of them */
static size_t size_of(unsigned i)
{
	if (i % 50 != 7)
		return i * 131 % 9000;
	return (i == 7 ? FRAME_RAW : LONG_MEMBER) + (128u << 10) + i;
}

static char *content_of(unsigned i)
{
	size_t n = size_of(i);
	char *p = xmalloc(n + 4);
	uint32_t seed = i + 1;

	for (size_t k = 0; k < n; k += 4) {
		uint32_t v = next_random(&seed) & 0x3f3f3f3f;

		memcpy(p + k, &v, 4);
	}
	return p;
}

static void make(struct pair *ret, unsigned members)
{
	struct archive_writer_opts o = {.level = 1, .threads = 2, .out = add_out, .ctx = &ret->archive};
	CLEANUP(archive_writer_freep) struct archive_writer *w = NULL;
	struct archive_sum sum;
	struct err e = {0};

	buf_init(&ret->archive, 512 << 20);
	buf_init(&ret->sidecar, 64 << 20);
	assert_int_equal(archive_writer_new(&w, &o, &e), 0);
	for (unsigned i = 0; i < members; i++) {
		unsigned which = i * 7919 % members; /* in no order */
		CLEANUP(freep) char *p = content_of(which), *name = xasprintf("files/%05u", which);

		assert_int_equal(archive_add(w, name, p, size_of(which), &e), 0);
	}
	assert_int_equal(archive_finish(w, "{}", 2, &sum, &e), 0);
	assert_int_equal(sum.bytes_stored, ret->archive.len);
	assert_int_equal(sum.members, members + 2);
	assert_int_equal(archive_sidecar_to(w, "{\"format\":\"felloe-archive 1\"}", add_out, &ret->sidecar, &e), 0);
}

static void done(struct pair *p)
{
	buf_done(&p->archive);
	buf_done(&p->sidecar);
}

static int open_pair(struct archive_reader **ret, struct pair *p, bool with_sidecar, struct err *e)
{
	struct archive_object archive = {read_buf, &p->archive, p->archive.len};
	struct archive_object sidecar = {read_buf, &p->sidecar, p->sidecar.len};

	return archive_open(ret, &archive, with_sidecar ? &sidecar : NULL, e);
}

static void every_member_comes_back_with_and_without_sidecar(void **state UNUSED)
{
	struct pair p;

	make(&p, 211);
	for (int with = 0; with < 2; with++) {
		CLEANUP(archive_closep) struct archive_reader *r = NULL;
		struct archive_read_result res;
		struct err e = {0};

		assert_int_equal(open_pair(&r, &p, with, &e), 0);
		for (unsigned i = 0; i < 211; i += with ? 1 : 13) {
			CLEANUP(freep) char *want = content_of(i), *name = xasprintf("files/%05u", i);
			struct buf b;

			buf_init(&b, 8 << 20);
			assert_int_equal(archive_read_small(r, name, &b, &e), 0);
			assert_int_equal(b.len, size_of(i));
			assert_memory_equal(b.p, want, b.len);
			buf_done(&b);
		}
		assert_int_equal(archive_read(r, NULL, NULL, &res, &e), 0);
		assert_int_equal(res.members, 211);
	}
	done(&p);
}

static int count_entry(void *ctx, const struct archive_entry *entry UNUSED, struct err *e UNUSED)
{
	++*(unsigned *)ctx;
	return 0;
}

struct wanted {
	const char *name;
	uint64_t size;
	unsigned n;
};

static int one_entry(void *ctx, const struct archive_entry *entry, struct err *e UNUSED)
{
	struct wanted *w = ctx;

	if (!str_eq(entry->name, w->name))
		return 0;
	w->size = entry->size;
	w->n++;
	return 1;
}

static unsigned look_up(struct archive_reader *r, const char *name, uint64_t *size)
{
	struct wanted w = {.name = name};
	struct err e = {0};

	assert_int_equal(archive_list(r, name, one_entry, &w, &e), 0);
	*size = w.size;
	return w.n;
}

static void look_ups_find_what_is_there_and_nothing_else(void **state UNUSED)
{
	CLEANUP(archive_closep) struct archive_reader *r = NULL;
	struct err e = {0};
	unsigned n = 0;
	uint64_t size;
	struct pair p;
	struct buf b;

	buf_init(&b, 4096);
	make(&p, 2000); /* several frames of index */
	assert_int_equal(open_pair(&r, &p, true, &e), 0);
	for (unsigned i = 0; i < 2000; i += 37) {
		CLEANUP(freep) char *name = xasprintf("files/%05u", i);

		assert_int_equal(look_up(r, name, &size), 1);
		assert_int_equal(size, size_of(i));
	}
	assert_int_equal(look_up(r, "a", &size), 0);
	assert_int_equal(look_up(r, "files/00100x", &size), 0);
	assert_int_equal(look_up(r, "z", &size), 0);
	assert_int_equal(archive_read_small(r, "files/00100x", &b, &e), -1);
	assert_int_equal(e.kind, ERR_NOTFOUND);
	assert_int_equal(archive_list(r, "files/001", count_entry, &n, &e), 0);
	assert_int_equal(n, 100);
	n = 0;
	assert_int_equal(archive_list(r, "", count_entry, &n, &e), 0);
	assert_int_equal(n, 2000);
	n = 0;
	assert_int_equal(archive_list(r, "g", count_entry, &n, &e), 0);
	assert_int_equal(n, 0);
	done(&p);
}

static void the_writer_holds_callers_to_the_size(void **state UNUSED)
{
	struct buf out;
	struct archive_writer_opts o = {.level = 1, .threads = 1, .out = add_out, .ctx = &out};
	CLEANUP(archive_writer_freep) struct archive_writer *w = NULL;
	struct tar_entry t = {.name = (char[]){"f"}, .type = '0', .size = 3};
	struct archive_sum sum;
	struct err e = {0};

	buf_init(&out, 1 << 20);
	assert_int_equal(archive_writer_new(&w, &o, &e), 0);
	assert_int_equal(archive_begin(w, &t, &e), 0);
	assert_int_equal(archive_begin(w, &t, &e), -1);
	assert_int_equal(archive_write(w, "abcd", 4, &e), -1);
	assert_string_equal(e.msg, "more bytes than the header of f says");
	assert_int_equal(archive_write(w, "ab", 2, &e), 0);
	assert_int_equal(archive_end(w, &e), -1);
	assert_string_equal(e.msg, "fewer bytes than the header of f says");
	assert_int_equal(archive_finish(w, "{}", 2, &sum, &e), -1);
	buf_done(&out);
}

static int full(void *ctx, const void *p UNUSED, size_t n, struct err *e)
{
	size_t *room = ctx;

	if (n > *room)
		return err_set(e, ERR_SPACE, "no room");
	*room -= n;
	return 0;
}

static void a_store_that_fails_ends_the_writer(void **state UNUSED)
{
	for (size_t cap = 0; cap < 7000000; cap += 1000000) {
		size_t room = cap;
		struct archive_writer_opts o = {.level = 1, .threads = 3, .out = full, .ctx = &room};
		CLEANUP(archive_writer_freep) struct archive_writer *w = NULL;
		struct archive_sum sum;
		struct err e = {0};
		int failed = 0;

		assert_int_equal(archive_writer_new(&w, &o, &e), 0);
		for (unsigned i = 0; !failed && i < 300; i++) {
			CLEANUP(freep) char *p = content_of(i);

			failed = archive_add(w, "x", p, size_of(i), &e);
		}
		failed = failed || archive_finish(w, "{}", 2, &sum, &e);
		assert_true(failed);
		assert_int_equal(e.kind, ERR_SPACE);
	}
}

static void bad_options_are_refused(void **state UNUSED)
{
	struct archive_writer_opts o = {.level = 3, .threads = 0, .out = full};
	struct archive_writer *w = NULL;
	struct err e = {0};

	assert_int_equal(archive_writer_new(&w, &o, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	o = (struct archive_writer_opts){.level = 99, .threads = 1, .out = full};
	assert_int_equal(archive_writer_new(&w, &o, &e), -1);
	assert_null(w);
}

struct seen { unsigned damaged, ended; };

static void on_damaged(void *ctx, const char *member, const char *why)
{
	struct seen *s = ctx;

	assert_true(*member && *why);
	s->damaged++;
}

static int sink_ok(void *ctx UNUSED, const struct tar_entry *t UNUSED, struct err *e UNUSED)
{
	return 0;
}

static int sink_bytes(void *ctx UNUSED, const void *p UNUSED, size_t n UNUSED, struct err *e UNUSED)
{
	return 0;
}

static int sink_ended(void *ctx, struct err *e UNUSED)
{
	((struct seen *)ctx)->ended++;
	return 0;
}

/* Each member is whole or named, whatever byte of the archive is broken. */
static void a_broken_byte_costs_the_members_of_its_frame(void **state UNUSED)
{
	uint32_t seed = 7;
	struct pair p;

	make(&p, 120);
	for (int i = 0; i < 60; i++) {
		CLEANUP(archive_closep) struct archive_reader *r = NULL;
		size_t at = next_random(&seed) % p.archive.len;
		struct seen s = {0};
		struct archive_read_opts o = {.damaged = on_damaged, .ctx = &s};
		struct tar_sink sink = {sink_ok, sink_bytes, sink_ended, NULL, &s};
		struct archive_read_result res;
		struct err e = {0};

		p.archive.p[at] = (char)(p.archive.p[at] ^ (1 << (i % 8)));
		assert_int_equal(open_pair(&r, &p, true, &e), 0);
		assert_int_equal(archive_read(r, &o, &sink, &res, &e), 0);
		assert_int_equal(res.members + res.damaged, 120);
		assert_int_equal(s.damaged, res.damaged);
		assert_true(s.ended == res.members);
		p.archive.p[at] = (char)(p.archive.p[at] ^ (1 << (i % 8)));
	}
	done(&p);
}

/* Frames of a pair by its seek table; yours. */
static struct frame_size *frames_of(const struct pair *p, size_t *n)
{
	struct frame_size *ret;
	struct err e = {0};
	uint64_t size;

	assert_int_equal(seek_table_size(&size, p->archive.p + p->archive.len - SEEK_FOOTER, &e), 0);
	assert_int_equal(seek_table_read(&ret, n, p->archive.p + p->archive.len - size, (size_t)size, &e), 0);
	return ret;
}

struct content {
	struct buf b;
	unsigned i, good;
};

static int content_begin(void *ctx, const struct tar_entry *t, struct err *e UNUSED)
{
	struct content *c = ctx;

	buf_reset(&c->b);
	c->i = (unsigned)strtoul(t->name + 6, NULL, 10);
	return 0;
}

static int content_bytes(void *ctx, const void *p, size_t n, struct err *e UNUSED)
{
	buf_add(&((struct content *)ctx)->b, p, n);
	return 0;
}

static int content_end(void *ctx, struct err *e UNUSED)
{
	struct content *c = ctx;
	CLEANUP(freep) char *want = content_of(c->i);

	assert_int_equal(c->b.len, size_of(c->i));
	assert_memory_equal(c->b.p, want, c->b.len);
	c->good++;
	return 0;
}

/* Neighbouring frames exchanged: sound each by itself, and yet not the archive. */
static void exchanged_frames_cost_their_members_and_no_others(void **state UNUSED)
{
	size_t n, at = 0;
	struct pair p;

	make(&p, 150);
	CLEANUP(freep) struct frame_size *frames = frames_of(&p, &n);

	for (size_t i = 0; i + 3 < n; at += frames[i++].stored) {
		size_t a = frames[i].stored, b = frames[i + 1].stored;
		CLEANUP(freep) char *both = xmemdup(p.archive.p + at, a + b);
		CLEANUP(archive_closep) struct archive_reader *r = NULL;
		struct seen s = {0};
		struct content c = {0};
		struct archive_read_opts o = {.damaged = on_damaged, .ctx = &s};
		struct tar_sink sink = {content_begin, content_bytes, content_end, NULL, &c};
		struct archive_read_result res;
		struct err e = {0};

		buf_init(&c.b, 8 << 20);
		memcpy(p.archive.p + at, both + a, b);
		memcpy(p.archive.p + at + b, both, a);
		assert_int_equal(open_pair(&r, &p, true, &e), 0);
		assert_int_equal(archive_read(r, &o, &sink, &res, &e), 0);
		assert_true(res.damaged > 0);
		assert_int_equal(res.members + res.damaged, 150);
		assert_int_equal(s.damaged, res.damaged);
		assert_int_equal(c.good, res.members);
		memcpy(p.archive.p + at, both, a + b);
		buf_done(&c.b);
	}
	done(&p);
}

static void the_manifest_is_in_the_sidecar_too(void **state UNUSED)
{
	struct pair p;
	struct buf b;

	make(&p, 60);
	buf_init(&b, 4096);
	for (int broken = 0; broken < 3; broken++) { /* nothing, the archive's, both */
		CLEANUP(archive_closep) struct archive_reader *r = NULL;
		struct err e = {0};

		if (broken == 1)
			memset(p.archive.p + p.archive.len - 600, 0, 600);
		if (broken == 2)
			p.sidecar.p[p.sidecar.len - 1] = (char)(p.sidecar.p[p.sidecar.len - 1] ^ 1);
		assert_int_equal(open_pair(&r, &p, true, &e), 0);
		buf_reset(&b);
		if (broken == 2) {
			assert_int_equal(archive_check_sidecar(r, &e), -1);
			assert_int_equal(e.kind, ERR_DAMAGED);
			assert_int_equal(archive_manifest(r, &b, &e), -1);
			continue;
		}
		assert_int_equal(archive_check_sidecar(r, &e), 0);
		assert_int_equal(archive_manifest(r, &b, &e), 0);
		assert_string_equal(b.p, "{}");
	}
	buf_done(&b);
	done(&p);
}

/* Where the frames of each member are, by the index. */
struct ends { uint64_t at[60], end[60]; };

static int on_end_of(void *ctx, const struct archive_entry *entry, struct err *e UNUSED)
{
	unsigned i = (unsigned)strtoul(entry->name + 6, NULL, 10);

	((struct ends *)ctx)->at[i] = entry->at;
	((struct ends *)ctx)->end[i] = entry->at + entry->len;
	return 0;
}

static void ends_of(struct pair *p, struct ends *ret)
{
	CLEANUP(archive_closep) struct archive_reader *r = NULL;
	struct err e = {0};

	assert_int_equal(open_pair(&r, p, true, &e), 0);
	assert_int_equal(archive_list(r, "", on_end_of, ret, &e), 0);
}

/* Scan what there is: each member that comes is what went in; how many came. */
static unsigned scan_all(const struct buf *b, struct archive_scan_result *found)
{
	const struct archive_object archive = {read_buf, (void *)(uintptr_t)b, b->len};
	const struct archive_scan_opts so = {0};
	CLEANUP(archive_closep) struct archive_reader *r = NULL;
	struct content c = {0};
	struct seen s = {0};
	struct archive_read_opts o = {.damaged = on_damaged, .ctx = &s};
	struct tar_sink sink = {content_begin, content_bytes, content_end, NULL, &c};
	struct archive_read_result res;
	struct err e = {0};

	if (archive_scan(&r, &archive, &so, found, &e)) {
		assert_int_equal(e.kind, ERR_DAMAGED);
		return 0;
	}
	buf_init(&c.b, 8 << 20);
	assert_int_equal(archive_read(r, &o, &sink, &res, &e), 0);
	assert_int_equal(c.good, res.members);
	buf_done(&c.b);
	return c.good;
}

static void a_cut_archive_without_an_index_gives_all_before_the_cut(void **state UNUSED)
{
	struct ends ends;
	uint32_t seed = 5;
	struct pair p;
	size_t whole;

	make(&p, 60);
	whole = p.archive.len;
	ends_of(&p, &ends);
	for (int i = 0; i < 40; i++) {
		struct archive_scan_result found;
		unsigned expected = 0;

		p.archive.len = i == 0 ? whole : next_random(&seed) % whole;
		for (unsigned k = 0; k < 60; k++)
			expected += ends.end[k] <= p.archive.len;
		assert_int_equal(scan_all(&p.archive, &found), expected);
		assert_int_equal(found.indexed, i == 0);
	}
	p.archive.len = whole;
	done(&p);
}

/* Sectors of zeros or of noise, a frame there twice, bytes that came in between. */
static void a_scan_finds_its_way_behind_damage(void **state UNUSED)
{
	struct ends ends;
	uint32_t seed = 11;
	struct pair p;

	make(&p, 60);
	ends_of(&p, &ends);
	for (int i = 0; i < 40; i++) {
		struct archive_scan_result found;
		struct buf copy;
		size_t n = 512u << next_random(&seed) % 6, at = next_random(&seed) % (p.archive.len - n);
		unsigned untouched = 0;

		buf_init(&copy, 512 << 20);
		buf_add(&copy, p.archive.p, p.archive.len);
		if (i % 4 == 0)
			memset(copy.p + at, 0, n);
		for (size_t k = 0; i % 4 == 1 && k < n; k++)
			copy.p[at + k] = (char)next_random(&seed);
		if (i % 4 == 2) { /* n bytes are gone */
			memmove(copy.p + at, copy.p + at + n, copy.len - at - n);
			copy.len -= n;
		}
		if (i % 4 == 3) { /* the beginning once more */
			buf_reset(&copy);
			buf_add(&copy, p.archive.p, at);
			buf_add(&copy, p.archive.p, p.archive.len);
		}
		for (unsigned k = 0; k < 60; k++)
			untouched += ends.end[k] <= at || ends.at[k] >= at + n;
		/* of the member that is cut where the second beginning comes, the first is taken */
		assert_in_range(scan_all(&copy, &found), i % 4 == 3 ? 59 : untouched, 60);
		assert_true(found.places >= 1);
		buf_done(&copy);
	}
	done(&p);
}

/* What can be opened gives right members or names them; how many were good. */
static unsigned read_all(struct pair *p, bool with_sidecar, bool *opened)
{
	CLEANUP(archive_closep) struct archive_reader *r = NULL;
	struct content c = {0};
	struct seen s = {0};
	struct archive_read_opts o = {.damaged = on_damaged, .ctx = &s};
	struct tar_sink sink = {content_begin, content_bytes, content_end, NULL, &c};
	struct archive_read_result res = {0};
	struct err e = {0};

	*opened = open_pair(&r, p, with_sidecar, &e) == 0;
	if (!*opened)
		return 0;
	buf_init(&c.b, 8 << 20);
	if (archive_read(r, &o, &sink, &res, &e) == 0)
		assert_int_equal(s.damaged, res.damaged);
	assert_int_equal(c.good, res.members);
	buf_done(&c.b);
	return c.good;
}

/* Each byte of a small archive broken, and each length of it: by all three ways. */
static void no_byte_makes_wrong_data_good(void **state UNUSED)
{
	enum { N = 4 };
	struct ends ends = {0};
	struct archive_scan_result found;
	struct pair p;
	size_t whole;
	bool opened;

	make(&p, N);
	whole = p.archive.len;
	ends_of(&p, &ends);
	for (size_t at = 0; at < whole; at++) {
		bool touched = at < ends.end[0];
		unsigned good;

		p.archive.p[at] = (char)(p.archive.p[at] ^ 0x10);
		assert_in_range(read_all(&p, true, &opened), touched ? 0 : N, N);
		assert_true(opened);
		good = read_all(&p, false, &opened);
		assert_in_range(good, touched || !opened ? 0 : N, N);
		assert_in_range(scan_all(&p.archive, &found), touched ? 0 : N, N);
		p.archive.p[at] = (char)(p.archive.p[at] ^ 0x10);
	}
	for (p.archive.len = 0; p.archive.len < whole; p.archive.len++) {
		bool cut = p.archive.len < ends.end[0];

		assert_int_equal(read_all(&p, true, &opened), cut ? 0 : N);
		assert_int_equal(read_all(&p, false, &opened), 0);
		assert_int_equal(scan_all(&p.archive, &found), cut ? 0 : N);
	}
	p.archive.len = whole;
	for (size_t at = 0; at < p.sidecar.len; at++) {
		p.sidecar.p[at] = (char)(p.sidecar.p[at] ^ 0x10);
		(void)read_all(&p, true, &opened);
		p.sidecar.p[at] = (char)(p.sidecar.p[at] ^ 0x10);
	}
	done(&p);
}

/* Cut, broken and mixed archives and sidecars: errors, never worse. */
static void broken_objects_do_no_harm(void **state UNUSED)
{
	uint32_t seed = 99;
	struct pair p;

	make(&p, 60);
	for (int i = 0; i < 300; i++) {
		CLEANUP(archive_closep) struct archive_reader *r = NULL;
		struct pair q = {p.archive, p.sidecar};
		struct buf *victim = i % 2 ? &q.sidecar : &q.archive;
		/* the end of the archive has the index, the manifest and the seek table */
		size_t from = i % 2 ? 0 : p.archive.len - 3000, room = victim->len - from;
		CLEANUP(freep) char *copy = xmemdup(victim->p, victim->len + 1);
		struct archive_read_result res;
		struct seen s = {0};
		struct archive_read_opts o = {.damaged = on_damaged, .ctx = &s};
		struct err e = {0};

		victim->p = copy;
		for (uint32_t k = next_random(&seed) % 3 + 1; k > 0; k--)
			copy[from + next_random(&seed) % room] = (char)next_random(&seed);
		if (i % 5 == 0)
			victim->len -= next_random(&seed) % (victim->len < 5000 ? victim->len : 5000);
		if (open_pair(&r, &q, i % 2, &e)) {
			assert_true(e.msg[0] != '\0');
			continue;
		}
		if (archive_read(r, &o, NULL, &res, &e))
			assert_true(e.msg[0] != '\0');
	}
	done(&p);
}

static void names_that_lead_out_are_refused(void **state UNUSED)
{
	static const char *const bad[] = {"../x", "a/../x", "/x", "a//x", "./x", "a/.", "..", ""};
	char dir[] = "/tmp/felloe-unit.XXXXXX";
	CLEANUP(extract_freep) struct extract *x = NULL;
	struct extract_opts o = {.dir = dir};
	struct extract_result res;
	struct err e = {0};

	assert_non_null(mkdtemp(dir));
	assert_int_equal(extract_new(&x, &o, &e), 0);
	const struct tar_sink *sink = extract_sink(x);

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(freep) char *name = xstrdup(bad[i]);
		struct tar_entry t = {.name = name, .type = '0', .mode = 0600};

		assert_int_equal(sink->begin(sink->ctx, &t, &e), -1);
		assert_int_equal(e.kind, ERR_DAMAGED);
		t = (struct tar_entry){.name = (char[]){"link"}, .type = '1', .link = name};
		assert_int_equal(sink->begin(sink->ctx, &t, &e), -1);
	}
	/* nothing is written through a link that the archive itself made */
	struct tar_entry link = {.name = (char[]){"l"}, .type = '2', .link = (char[]){"/tmp"}};
	struct tar_entry through = {.name = (char[]){"l/felloe-unit-escaped"}, .type = '0', .mode = 0600};

	assert_int_equal(sink->begin(sink->ctx, &link, &e), 0);
	assert_int_equal(sink->end(sink->ctx, &e), 0);
	assert_int_equal(sink->begin(sink->ctx, &through, &e), -1);
	assert_int_equal(e.kind, ERR_CONFLICT);
	assert_int_equal(extract_finish(x, &res, &e), 0);
	CLEANUP(freep) char *made = xasprintf("%s/l", dir);

	assert_int_equal(unlink(made), 0);
	assert_int_equal(rmdir(dir), 0);
}

struct order { char last[32]; unsigned n; };

static int on_sorted(void *ctx, const struct sort_member *m, struct err *e UNUSED)
{
	struct order *o = ctx;

	assert_true(strcmp(o->last, m->name) <= 0);
	str_cut(o->last, sizeof(o->last), m->name);
	o->n++;
	return 0;
}

/* past 8 MiB of records the runs lie in a file and are merged */
static void many_members_are_sorted_in_runs(void **state UNUSED)
{
	struct sort *s = sort_new();
	uint32_t seed = 3;
	struct order o = {0};
	struct err e = {0};

	for (unsigned i = 0; i < 300000; i++) {
		char name[24];

		snprintf(name, sizeof(name), "%08x/%u", next_random(&seed), i);
		assert_int_equal(sort_add(s, &(struct sort_member){.name = name, .type = '0'}, &e), 0);
	}
	assert_int_equal(sort_each(s, on_sorted, &o, &e), 0);
	assert_int_equal(o.n, 300000);
	sort_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_member_comes_back_with_and_without_sidecar),
		cmocka_unit_test(look_ups_find_what_is_there_and_nothing_else),
		cmocka_unit_test(the_writer_holds_callers_to_the_size),
		cmocka_unit_test(a_store_that_fails_ends_the_writer),
		cmocka_unit_test(bad_options_are_refused),
		cmocka_unit_test(a_broken_byte_costs_the_members_of_its_frame),
		cmocka_unit_test(exchanged_frames_cost_their_members_and_no_others),
		cmocka_unit_test(the_manifest_is_in_the_sidecar_too),
		cmocka_unit_test(a_cut_archive_without_an_index_gives_all_before_the_cut),
		cmocka_unit_test(a_scan_finds_its_way_behind_damage),
		cmocka_unit_test(no_byte_makes_wrong_data_good),
		cmocka_unit_test(broken_objects_do_no_harm),
		cmocka_unit_test(names_that_lead_out_are_refused),
		cmocka_unit_test(many_members_are_sorted_in_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
