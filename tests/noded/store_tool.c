/* SPDX-License-Identifier: Apache-2.0 */
/* A hand for the end-to-end tests of storages: one operation of store.h a call.
 *   store_tool STORAGE.json VERB [ARGUMENT...]
 * STORAGE.json holds one object as in storage[] of config.json. Exit 0, or 1
 * with "kind: message" on stderr. Keys are given whole. SIGTERM stops it cleanly. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "noded/store/s3_call.h"
#include "noded/store/store.h"
#include "shared/daemon.h"
#include "shared/fs.h"
#include "shared/json.h"
#include "shared/mem.h"
#include "shared/str.h"

static int read_storage(struct storage *ret, struct json **doc, const char *path, struct err *e)
{
	const struct json *j;

	if (json_parse_file(doc, path, 65536, e))
		return -1;
	j = *doc;
#define TEXT(member) xstrdup(json_get_str(j, #member, ""))
	*ret = (struct storage){
		.name = TEXT(name), .type = TEXT(type), .endpoint = TEXT(endpoint), .region = TEXT(region),
		.bucket = TEXT(bucket), .prefix = TEXT(prefix), .storage_class = TEXT(storage_class),
		.access_key = TEXT(access_key), .secret_key = TEXT(secret_key), .secret_key_file = TEXT(secret_key_file),
		.ca_file = TEXT(ca_file), .proxy = TEXT(proxy), .session_token_file = TEXT(session_token_file),
		.path = TEXT(path), .path_style = json_get_bool(j, "path_style", true),
		.max_upload_mbps = json_get_num(j, "max_upload_mbps", 0)};
#undef TEXT
	return 0;
}

static void storage_done(struct storage *c)
{
	char *const all[] = {c->name, c->type, c->endpoint, c->region, c->bucket, c->prefix, c->storage_class,
			     c->access_key, c->secret_key, c->secret_key_file, c->ca_file, c->proxy,
			     c->session_token_file, c->path};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		free(all[i]);
}

static uint64_t number(char **argv, int i, uint64_t otherwise)
{
	uint64_t v = otherwise;

	if (argv[i] && str_to_u64(&v, argv[i], 0, UINT64_MAX))
		exit(2);
	return v;
}

static long peak_kb(void)
{
	struct rusage r;

	return getrusage(RUSAGE_SELF, &r) ? -1 : r.ru_maxrss;
}

/* put FILE|- KEY [ESTIMATE [SPOOL]]: "SIZE SHA256 PEAK_KB" */
static int put(struct store *s, char **argv, struct err *e)
{
	struct upload_opts o = {.key = argv[1], .estimate = number(argv, 2, 0),
				.spool_bytes = argv[2] ? number(argv, 3, 0) : 0};
	CLEANUP(closep) int fd = str_eq(argv[0], "-") ? dup(0) : open(argv[0], O_RDONLY | O_CLOEXEC);
	CLEANUP(freep) char *chunk = xmalloc(1 << 20);
	struct upload *u = NULL;
	struct upload_result r;
	size_t got;

	if (fd < 0)
		return err_sys(e, ERR_IO, "open %s", argv[0]);
	if (upload_begin(&u, s, &o, e))
		return -1;
	do {
		if (fs_read_full(fd, chunk, 1 << 20, &got, e) || upload_write(u, chunk, got, e)) {
			upload_abort(u);
			return -1;
		}
	} while (got == 1 << 20);
	if (upload_finish(u, &r, e))
		return -1;
	printf("%llu %s %ld\n", (unsigned long long)r.size, r.sha256, peak_kb());
	return 0;
}

static int to_stdout(void *ctx, const void *p, size_t n, struct err *e)
{
	(void)ctx;
	return fs_write_all(1, p, n, e);
}

/* get KEY [OFFSET [N]] */
static int get(struct store *s, char **argv, struct err *e)
{
	return store_get(s, argv[0], argv[1] ? number(argv, 1, 0) : 0, argv[1] ? number(argv, 2, UINT64_MAX) : UINT64_MAX,
			 to_stdout, NULL, e);
}

struct nested {
	struct store *s;
	const char *key;
	bool deeper;
};

/* In the middle of a read: another read, and a third inside of that. */
static int read_inside(void *ctx, const void *p, size_t n, struct err *e)
{
	struct nested *outer = ctx, inner = {.s = outer->s, .key = outer->key};
	uint64_t size;

	(void)p;
	if (store_head(outer->s, outer->key, &size, e))
		return -1;
	if (outer->deeper)
		return store_get(outer->s, outer->key, 0, 1, read_inside, &inner, e);
	printf("%zu\n", n);
	return 0;
}

/* nested KEY */
static int nested(struct store *s, char **argv, struct err *e)
{
	struct nested outer = {.s = s, .key = argv[0], .deeper = true};

	return store_get(s, argv[0], 0, 1, read_inside, &outer, e);
}

static int print_item(void *ctx, const char *key, uint64_t size, struct err *e)
{
	(void)ctx;
	(void)e;
	printf("%llu %s\n", (unsigned long long)size, key);
	return 0;
}

static int list(struct store *s, char **argv, struct err *e)
{
	return store_list(s, str_or(argv[0], ""), print_item, NULL, e);
}

static int head(struct store *s, char **argv, struct err *e)
{
	uint64_t size;

	if (store_head(s, argv[0], &size, e))
		return -1;
	printf("%llu\n", (unsigned long long)size);
	return 0;
}

static int delete(struct store *s, char **argv, struct err *e)
{
	return store_delete(s, argv[0], e);
}

/* small KEY TEXT */
static int small(struct store *s, char **argv, struct err *e)
{
	const struct upload_opts o = {.key = argv[0], .estimate = strlen(argv[1])};
	struct upload *u = NULL;
	struct upload_result r;

	if (upload_begin(&u, s, &o, e))
		return -1;
	if (upload_write(u, argv[1], strlen(argv[1]), e)) {
		upload_abort(u);
		return -1;
	}
	return upload_finish(u, &r, e);
}

/* sweep PREFIX AGE_S */
static int sweep(struct store *s, char **argv, struct err *e)
{
	unsigned n;

	if (store_sweep(s, argv[0], (int64_t)number(argv, 1, 0), &n, e))
		return -1;
	printf("%u\n", n);
	return 0;
}

/* Make the bucket: what a person does in the storage's own console. */
static int bucket(const struct storage *cfg, struct err *e)
{
	struct s3_call c = {.what = "create", .method = "PUT", .has_body = true};
	struct s3_answer a = {0};
	struct s3 *s = NULL;
	int result;

	if (s3_new(&s, cfg, true, e))
		return -1;
	result = s3_do(s, &c, &a, e);
	s3_answer_done(&a);
	s3_free(s);
	return result;
}

/* pin URL: the pin of an https server */
static int pin(const char *url, struct err *e)
{
	char text[64];

	if (http_peer_pin(url, text, e))
		return -1;
	printf("%s\n", text);
	return 0;
}

/* pinned URL PIN: the status of a GET from a server with this key */
static int pinned(const char *url, const char *expected, struct err *e)
{
	struct http_opts o = {.pin = expected};
	CLEANUP(http_freep) struct http *h = NULL;
	CLEANUP(http_reply_done) struct http_reply r = {0};

	if (http_new(&h, &o, e) || http_do(h, &(struct http_call){.method = "GET", .url = url}, &r, e))
		return -1;
	printf("%d\n", r.status);
	return 0;
}

static void print_step(const char *name, bool tried, bool ok, const char *error)
{
	printf("%s %s %s\n", name, !tried ? "-" : ok ? "ok" : "failed", error);
}

static int try_all(const struct storage *cfg, struct err *e)
{
	struct store_test t;
	int result = store_try(cfg, &t, e);

	print_step("list", t.list.tried, t.list.ok, t.list.error);
	print_step("write", t.write.tried, t.write.ok, t.write.error);
	print_step("read", t.read.tried, t.read.ok, t.read.error);
	print_step("remove", t.remove.tried, t.remove.ok, t.remove.error);
	return result;
}

static const struct {
	const char *name;
	int args;
	int (*run)(struct store *s, char **argv, struct err *e);
} verbs[] = {
	{"put", 2, put},   {"get", 1, get},       {"list", 0, list},   {"head", 1, head},
	{"delete", 1, delete}, {"small", 2, small}, {"sweep", 1, sweep},
	{"nested", 1, nested},
};

static int run(const struct storage *cfg, int argc, char **argv, struct err *e)
{
	CLEANUP(store_closep) struct store *s = NULL;

	if (str_eq(argv[2], "try"))
		return try_all(cfg, e);
	if (str_eq(argv[2], "bucket"))
		return bucket(cfg, e);
	if (str_eq(argv[2], "pin") && argc == 4)
		return pin(argv[3], e);
	if (str_eq(argv[2], "pinned") && argc == 5)
		return pinned(argv[3], argv[4], e);
	if (store_open(&s, cfg, e))
		return -1;
	store_set_stop(s, daemon_stopping);
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (str_eq(argv[2], verbs[i].name) && argc >= 3 + verbs[i].args)
			return verbs[i].run(s, argv + 3, e);
	return err_set(e, ERR_USAGE, "store_tool STORAGE.json put|get|list|head|delete|small|try|sweep ...");
}

int main(int argc, char **argv)
{
	struct storage cfg = {0};
	struct json *doc = NULL;
	struct err e = {0};
	int result;

	if (argc < 3)
		return 2;
	daemon_signals();
	result = read_storage(&cfg, &doc, argv[1], &e) || run(&cfg, argc, argv, &e);
	if (result)
		fprintf(stderr, "%s: %s\n", err_name(e.kind), e.msg);
	storage_done(&cfg);
	json_free(doc);
	return result ? 1 : 0;
}
