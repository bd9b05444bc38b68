/* SPDX-License-Identifier: Apache-2.0 */
/* A small program over files/ and archive/ for tests/e2e/archive.sh:
 *   archive_tool pack ARCHIVE ROOT...        writes ARCHIVE and ARCHIVE.idx
 *   archive_tool list ARCHIVE [PREFIX]       (with its sidecar when there is one)
 *   archive_tool cat ARCHIVE MEMBER
 *   archive_tool unpack ARCHIVE DIR [PREFIX...]
 *   archive_tool verify ARCHIVE              stored bytes, then members
 *   archive_tool change ARCHIVE NEW FROM TO  a sound archive without a sidecar whose SQL has TO for each FROM, which
 *                                            is as long; the manifest stays */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "noded/archive/reader.h"
#include "noded/archive/writer.h"
#include "noded/files/extract.h"
#include "noded/files/walk.h"
#include "shared/fs.h"
#include "shared/hash.h"
#include "shared/json.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { PART = 8 << 20 };

/* ---- pack */

struct out {
	int fd;
	struct sha256 *part, *whole;
	uint64_t part_size, part_at, size;
	struct buf parts_text;
	struct json_out parts;
};

static void end_part(struct out *o)
{
	uint8_t digest[SHA256_LEN];
	char hex[SHA256_HEX];

	if (o->part_size == 0)
		return;
	sha256_end(o->part, digest);
	json_obj(&o->parts, NULL);
	json_put_int(&o->parts, "offset", (int64_t)o->part_at);
	json_put_int(&o->parts, "size", (int64_t)o->part_size);
	json_put_str(&o->parts, "sha256", hex_encode(hex, digest, sizeof(digest)));
	json_end_obj(&o->parts);
	o->part_at += o->part_size;
	o->part_size = 0;
}

static int on_out(void *ctx, const void *p, size_t n, struct err *e)
{
	struct out *o = ctx;
	const char *at = p;

	if (fs_write_all(o->fd, p, n, e))
		return -1;
	o->size += n;
	while (n) {
		size_t take = PART - o->part_size < n ? (size_t)(PART - o->part_size) : n;

		sha256_add(o->part, at, take);
		o->part_size += take;
		at += take;
		n -= take;
		if (o->part_size == PART)
			end_part(o);
	}
	return 0;
}

static void on_note(void *ctx, enum walk_note kind, const char *path, const char *why)
{
	static const char *const names[] = {"skipped", "changed", "vanished", "socket", "mount"};

	(void)ctx;
	fprintf(stderr, "%s: %s: %s\n", names[kind], path, why);
}

static int add_globs(struct globs *g, struct err *e)
{
	char *text = getenv("EXCLUDE");

	if (getenv("WORDPRESS"))
		globs_add_wordpress(g);
	for (char *p = text; p && *p;) {
		char *end = strchr(p, ':');

		if (end)
			*end++ = '\0';
		if (globs_add(g, p, e))
			return -1;
		p = end;
	}
	return 0;
}

static int write_fd(void *ctx, const void *p, size_t n, struct err *e)
{
	return fs_write_all(*(int *)ctx, p, n, e);
}

static int put_sidecar(struct archive_writer *w, struct out *o, const char *path, struct err *e)
{
	CLEANUP(freep) char *idx = xasprintf("%s.idx", path);
	CLEANUP(closep) int fd = open(idx, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct json_out j;
	struct buf b;
	int failed;

	if (fd < 0)
		return err_sys(e, ERR_IO, "make %s", idx);
	end_part(o);
	json_end_arr(&o->parts);
	buf_init(&b, 4 << 20);
	json_out_init(&j, &b);
	json_obj(&j, NULL);
	json_put_str(&j, "format", "felloe-archive 1");
	json_put_str(&j, "site", "test");
	json_put_int(&j, "size", (int64_t)o->size);
	json_put_raw(&j, "parts", o->parts_text.p);
	json_end_obj(&j);
	failed = archive_sidecar_to(w, b.p, write_fd, &fd, e);
	buf_done(&b);
	return failed;
}

static int pack(int argc, char **argv, struct err *e)
{
	CLEANUP(archive_writer_freep) struct archive_writer *w = NULL;
	CLEANUP(globs_freep) struct globs *g = globs_new();
	struct out o = {.part = sha256_new()};
	const char *const *roots = (const char *const *)argv + 1;
	struct walk_opts walk = {.roots = roots, .n_roots = (size_t)argc - 1, .exclude = g, .note = on_note};
	struct archive_writer_opts opts = {.level = 3, .threads = 2, .out = on_out, .ctx = &o};
	static const char manifest[] = "{\"format\":\"felloe-archive 1\"}\n";
	struct walk_result res, estimate;
	struct archive_sum sum;
	int failed;

	buf_init(&o.parts_text, 4 << 20);
	json_out_init(&o.parts, &o.parts_text);
	json_arr(&o.parts, NULL);
	o.fd = open(argv[0], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (o.fd < 0)
		return err_sys(e, ERR_IO, "make %s", argv[0]);
	failed = add_globs(g, e) || archive_writer_new(&w, &opts, e) ||
		 (getenv("ESTIMATE") && files_estimate(&walk, &estimate, e)) ||
		 archive_add(w, "RESTORE.txt", "tar --zstd -xf\n", 15, e) ||
		 files_archive(&walk, archive_writer_sink(w), &res, e) ||
		 archive_finish(w, manifest, sizeof(manifest) - 1, &sum, e) || put_sidecar(w, &o, argv[0], e);
	if (!failed)
		printf("files %llu bytes %llu skipped %llu changed %llu sockets %llu excluded %llu mounts %llu\n",
		       (unsigned long long)res.files, (unsigned long long)res.bytes, (unsigned long long)res.skipped,
		       (unsigned long long)res.changed, (unsigned long long)res.sockets,
		       (unsigned long long)res.excluded, (unsigned long long)res.mounts);
	if (!failed && getenv("ESTIMATE"))
		printf("estimate: files %llu bytes %llu\n", (unsigned long long)estimate.files,
		       (unsigned long long)estimate.bytes);
	sha256_free(o.part);
	buf_done(&o.parts_text);
	close(o.fd);
	return failed ? -1 : 0;
}

/* ---- read */

struct opened {
	int fd, idx;
	struct archive_reader *r;
};

static int read_fd(void *ctx, uint64_t offset, uint64_t n, archive_data_fn *data, void *data_ctx, struct err *e)
{
	CLEANUP(freep) char *p = xmalloc(256 << 10);
	const int *fd = ctx;

	while (n) {
		ssize_t got = pread(*fd, p, n < 256 << 10 ? (size_t)n : 256 << 10, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(e, ERR_IO, "read the archive at %llu", (unsigned long long)offset);
		if (got == 0)
			return err_set(e, ERR_DAMAGED, "the archive ends at %llu", (unsigned long long)offset);
		if (data(data_ctx, p, (size_t)got, e))
			return -1;
		offset += (uint64_t)got;
		n -= (uint64_t)got;
	}
	return 0;
}

static int object_of(struct archive_object *ret, int *fd, struct err *e)
{
	struct stat st;

	if (fstat(*fd, &st))
		return err_sys(e, ERR_IO, "stat the archive");
	*ret = (struct archive_object){.read_at = read_fd, .ctx = fd, .size = (uint64_t)st.st_size};
	return 0;
}

static int open_it(struct opened *o, const char *path, struct err *e)
{
	CLEANUP(freep) char *idx = xasprintf("%s.idx", path);
	struct archive_object archive, sidecar;

	o->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (o->fd < 0)
		return err_sys(e, ERR_NOTFOUND, "open %s", path);
	o->idx = open(idx, O_RDONLY | O_CLOEXEC);
	if (object_of(&archive, &o->fd, e) || (o->idx >= 0 && object_of(&sidecar, &o->idx, e)))
		return -1;
	return archive_open(&o->r, &archive, o->idx >= 0 ? &sidecar : NULL, e);
}

static void close_it(struct opened *o)
{
	archive_close(o->r);
	closep(&o->fd);
	closep(&o->idx);
}

static int on_entry(void *ctx, const struct archive_entry *entry, struct err *e)
{
	(void)ctx;
	(void)e;
	printf("%c %04o %llu %llu %llu %llu %s\n", entry->type, entry->mode, (unsigned long long)entry->size,
	       (unsigned long long)entry->at, (unsigned long long)entry->len, (unsigned long long)entry->skip, entry->name);
	return 0;
}

static void on_damaged(void *ctx, const char *member, const char *why)
{
	(void)ctx;
	printf("damaged: %s: %s\n", member, why);
}

static void on_extract_note(void *ctx, const char *path, const char *why)
{
	(void)ctx;
	fprintf(stderr, "note: %s: %s\n", path, why);
}

static int unpack(struct archive_reader *r, int argc, char **argv, struct err *e)
{
	CLEANUP(extract_freep) struct extract *x = NULL;
	struct extract_opts xo = {.dir = argv[0], .note = on_extract_note, .overwrite = getenv("OVERWRITE") != NULL};
	struct archive_read_opts o = {.damaged = getenv("STRICT") ? NULL : on_damaged};
	struct archive_read_result res;
	struct extract_result xres;

	o.prefixes = (const char *const *)argv + 1;
	o.n_prefixes = (size_t)argc - 1;
	if (extract_new(&x, &xo, e) || archive_read(r, &o, extract_sink(x), &res, e) || extract_finish(x, &xres, e))
		return -1;
	printf("members %llu fetched %llu damaged %llu notes %llu\n", (unsigned long long)res.members,
	       (unsigned long long)res.fetched, (unsigned long long)res.damaged, (unsigned long long)xres.notes);
	return res.damaged ? err_set(e, ERR_DAMAGED, "%llu members are damaged", (unsigned long long)res.damaged) : 0;
}

static int cat(struct archive_reader *r, const char *name, struct err *e)
{
	CLEANUP(buf_done) struct buf b = {0};

	buf_init(&b, 256 << 20);
	return archive_read_small(r, name, &b, e) || fs_write_all(STDOUT_FILENO, b.p, b.len, e) ? -1 : 0;
}

static int verify(struct opened *it, struct err *e)
{
	struct archive_read_opts o = {.damaged = on_damaged};
	struct archive_read_result parts = {0}, members;

	if (it->idx >= 0 && archive_verify_parts(it->r, &o, &parts, e))
		return -1;
	if (archive_read(it->r, &o, NULL, &members, e))
		return -1;
	printf("parts %llu members %llu\n", (unsigned long long)parts.members, (unsigned long long)members.members);
	return parts.damaged || members.damaged ? err_set(e, ERR_DAMAGED, "the archive is damaged") : 0;
}

/* ---- change */

struct change {
	const struct tar_sink *out;
	const char *from, *to;
	struct buf b;
	unsigned changed;
};

static int change_begin(void *ctx, const struct tar_entry *entry, struct err *e)
{
	struct change *c = ctx;

	buf_reset(&c->b);
	return c->out->begin(c->out->ctx, entry, e);
}

static int change_write(void *ctx, const void *p, size_t n, struct err *e)
{
	struct change *c = ctx;

	buf_add(&c->b, p, n);
	return buf_check(&c->b, "a member", e);
}

static int change_end(void *ctx, struct err *e)
{
	struct change *c = ctx;
	size_t n = strlen(c->from);

	for (char *at = c->b.p; at && (at = memmem(at, c->b.len - (size_t)(at - c->b.p), c->from, n)); at += n) {
		memcpy(at, c->to, n);
		c->changed++;
	}
	return (c->b.len && c->out->write(c->out->ctx, c->b.p, c->b.len, e)) || c->out->end(c->out->ctx, e) ? -1 : 0;
}

static int change(struct opened *o, char **argv, struct err *e)
{
	CLEANUP(archive_writer_freep) struct archive_writer *w = NULL;
	CLEANUP(closep) int fd = open(argv[3], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct archive_writer_opts opts = {.level = 3, .threads = 1, .out = write_fd, .ctx = &fd};
	struct change c = {.from = argv[4], .to = argv[5]};
	const struct tar_sink sink = {.begin = change_begin, .write = change_write, .end = change_end, .ctx = &c};
	CLEANUP(buf_done) struct buf manifest;
	struct archive_sum sum;
	int failed;

	if (fd < 0 || strlen(argv[4]) != strlen(argv[5]))
		return err_set(e, ERR_USAGE, "archive_tool change: %s, or another length", argv[3]);
	buf_init(&c.b, 64 << 20);
	buf_init(&manifest, 64 << 20);
	failed = archive_writer_new(&w, &opts, e);
	if (!failed)
		c.out = archive_writer_sink(w);
	failed = failed || archive_read(o->r, NULL, &sink, NULL, e) || archive_manifest(o->r, &manifest, e) ||
		 archive_finish(w, manifest.p, manifest.len, &sum, e);
	buf_done(&c.b);
	printf("changed %u\n", c.changed);
	return failed ? -1 : 0;
}

static int run(int argc, char **argv, struct err *e)
{
	struct opened o = {-1, -1, NULL};
	int failed;

	if (argc >= 4 && str_eq(argv[1], "pack"))
		return pack(argc - 2, argv + 2, e);
	if (argc < 3)
		return err_set(e, ERR_USAGE, "archive_tool pack|list|cat|unpack|verify ARCHIVE ...");
	failed = open_it(&o, argv[2], e);
	if (!failed && str_eq(argv[1], "list"))
		failed = archive_list(o.r, argc > 3 ? argv[3] : "", on_entry, NULL, e);
	else if (!failed && str_eq(argv[1], "cat") && argc == 4)
		failed = cat(o.r, argv[3], e);
	else if (!failed && str_eq(argv[1], "unpack") && argc >= 4)
		failed = unpack(o.r, argc - 3, argv + 3, e);
	else if (!failed && str_eq(argv[1], "verify"))
		failed = verify(&o, e);
	else if (!failed && str_eq(argv[1], "change") && argc == 6)
		failed = change(&o, argv, e);
	else if (!failed)
		failed = err_set(e, ERR_USAGE, "archive_tool: %s?", argv[1]);
	close_it(&o);
	return failed;
}

int main(int argc, char **argv)
{
	struct err e = {0};

	if (run(argc, argv, &e) == 0)
		return 0;
	fprintf(stderr, "archive_tool: %s: %s\n", err_name(e.kind), e.msg);
	return 1;
}
