/* SPDX-License-Identifier: Apache-2.0 */
/* A request with any path segment, query, header and body through the route
 * table, the handlers and a database: libFuzzer target, and with
 * tests/fuzz/smoke.c a short run in the tests. How to: docs/testing.md.
 *
 * Input: number of the row, who asks, one byte, then five texts, each ended by a
 * NUL (what stands for {id}, three values of query parameters, one of headers),
 * then the body. */
#include "masterd/cmd_run.c"

#include <pthread.h>
#include <unistd.h>

#include "masterd/doc.h"
#include "masterd/route.h"
#include "masterd/svc_once.h"
#include "tests/fuzz/fuzz.h"

enum { TEXTS = 5, WHO_RIGHT = 0, WHO_NOBODY, WHO_NODE, WHO_GARBAGE, SEED_MAX = 8192 };

static struct world {
	struct master m;
	struct db *side;          /* to put right what a request took away */
	char dir[64];
	char *token;
	pthread_mutex_t lock;
	pthread_cond_t done;
} w = {.lock = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER};

static const char node_key[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEF";

struct fuzz_req {
	struct req r;             /* first */
	const char *texts[TEXTS];
	unsigned who;
	bool woken;
};

static void must(int rc, const struct err *e)
{
	if (!rc)
		return;
	fprintf(stderr, "fuzz: %s\n", e->msg);
	abort();
}

/* ---- a master without its server */

static void sign_in(void)
{
	struct user u = {.role = ROLE_SUPER_ADMIN, .created = 1};
	struct session s;
	struct who who = {0};
	struct err e;

	snprintf(u.name, sizeof(u.name), "fuzz-%lld", (long long)clock_mono_us());
	str_cut(u.password, sizeof(u.password), "none");
	must(tbl_user_add(w.side, &u, &e), &e);
	auth_session_init(&s, u.id, "192.0.2.1", clock_ms());
	must(tbl_session_add(w.side, &s, &e) || tbl_auth_touch(w.side, &e) || auth_poll(w.m.auth, &e), &e);
	auth_session_put(w.m.auth, &s);
	auth_fill(&who, &u, s.sid);
	free(w.token);
	w.token = auth_access_token(w.m.auth, &who, clock_ms());
}

static void add_node(void)
{
	struct node n = {.state = NODE_ACTIVE, .has_key = true, .created = 1, .approved = 1};
	struct err e;

	str_cut(n.name, sizeof(n.name), "web-01");
	str_cut(n.hostname, sizeof(n.hostname), "web-01");
	n.facts = xstrdup("{}");
	n.tags = xstrdup("[\"prod\"]");
	sha256(n.key_hash, node_key, strlen(node_key));
	must(tbl_node_add(w.side, &n, &e), &e);
	node_done(&n);
}

static void clean_up(void)
{
	static const char *const files[] = {"master.json", "state/master.db", "state/master.db-wal", "state/master.db-shm", "state", ""};

	db_close(w.side);
	stop(&w.m, NULL);
	config_free(w.m.config);
	free(w.token);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		CLEANUP(freep) char *path = xasprintf("%s/%s", w.dir, files[i]);

		(void)remove(path);
	}
}

void fuzz_begin(void)
{
	CLEANUP(freep) char *path = NULL, *text = NULL;
	struct err e;

	log_init("fuzz", 0, LOG_ERROR);
	snprintf(w.dir, sizeof(w.dir), "%s/felloe-fuzz.XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(w.dir))
		abort();
	path = xasprintf("%s/master.json", w.dir);
	text = xasprintf("{\"state_dir\":\"%s/state\",\"jwt_secret\":\"0123456789abcdef0123456789abcdef\","
			 "\"limits\":{\"join_per_minute\":100000,\"login_per_minute\":100000}}", w.dir);
	must(crypt_init(&e) || fs_write(path, text, strlen(text), 0600, &e) || config_load(&w.m.config, path, &e) ||
	     fs_mkdirs(w.m.config->state_dir, 0700, &e) || db_open(&w.side, w.m.config->database, false, &e) ||
	     db_migrate(w.side, &e), &e);
	random_uuid(w.m.instance);
	add_node();
	must(start_parts(&w.m, &e), &e);
	sign_in();
	atexit(clean_up);
}

/* ---- one request */

static const char *lookup(const struct req *r, enum req_where where, const char *name)
{
	const struct fuzz_req *f = (const struct fuzz_req *)r;
	const char *text;

	if (where == REQ_QUERY) {
		text = f->texts[1 + (name[0] + name[1]) % 3];
		return *text && !str_eq(name, "wait") ? text : NULL;
	}
	if (str_eq(name, "X-API-KEY"))
		return f->who == WHO_NODE ? node_key : f->who == WHO_GARBAGE ? f->texts[4] : NULL;
	if (str_eq(name, "Authorization"))
		return f->who == WHO_RIGHT ? w.token : f->who == WHO_GARBAGE ? f->texts[4] : NULL;
	return *f->texts[4] ? f->texts[4] : NULL;
}

static void wake(struct ticket *t)
{
	struct fuzz_req *f = (struct fuzz_req *)(void *)((char *)t - offsetof(struct req, ticket));

	pthread_mutex_lock(&w.lock);
	f->woken = true;
	pthread_cond_broadcast(&w.done);
	pthread_mutex_unlock(&w.lock);
}

static void wait_for(struct fuzz_req *f)
{
	if (!ticket_park(&f->r.ticket))
		return;
	pthread_mutex_lock(&w.lock);
	while (!f->woken)
		pthread_cond_wait(&w.done, &w.lock);
	f->woken = false;
	pthread_mutex_unlock(&w.lock);
}

static void judge(struct req *r, const struct route *t)
{
	CLEANUP(json_freep) struct json *j = NULL;
	struct err e;

	if (r->status == 0 || r->status == 500 || r->status > 507) {
		fprintf(stderr, "%s %s: status %d %s\n", t->method, t->path, r->status, r->out.p ? r->out.p : "");
		abort();
	}
	if (!r->out.len || r->content_type)
		return;
	if (r->out.over || json_parse(&j, r->out.p, r->out.len, &e)) {
		fprintf(stderr, "%s %s: the answer is no JSON: %s\n%.*s\n", t->method, t->path, e.msg, (int)r->out.len, r->out.p);
		abort();
	}
}

static void run_one(struct fuzz_req *f, const struct route *t, const char *path)
{
	struct req *r = &f->r;
	enum verdict v;
	char some[512];

	ticket_open(&r->ticket);
	v = route_run(r, t->method, path);
	while (v == LATER) {
		wait_for(f);
		ticket_open(&r->ticket);
		v = route_go_on(r);
	}
	if (v == STREAM)
		(void)r->stream(r, some, sizeof(some));
	else
		judge(r, t);
}

/* Each hashes a password, which takes 64 MiB and 130 ms: not each time. */
static bool is_dear(const struct route *t)
{
	return str_eq(t->path, "/auth/login") || str_eq(t->path, "/auth/password") || str_eq(t->path, "/auth/totp") ||
	       (str_starts(t->path, "/users") && !str_eq(t->method, "GET"));
}

/* Would it take away the one node that all the others work with? */
static bool is_end(const struct route *t, const char *arg)
{
	return str_eq(arg, "1") && (str_eq(t->path, "/nodes/block/{id}") ||
				    (str_eq(t->path, "/nodes/{id}") && str_eq(t->method, "DELETE")));
}

/* The path of a row with arg in its place; yours. */
static char *path_of(const struct route *t, const char *arg)
{
	const char *open = strchr(t->path, '{'), *close = open ? strchr(open, '}') + 1 : "";

	return xasprintf("%s%.*s%s%s", t->root ? "" : "/api/v1", open ? (int)(open - t->path) : (int)strlen(t->path), t->path,
			 open ? arg : "", close);
}

void fuzz_one(const uint8_t *p, size_t n)
{
	struct fuzz_req f = {0};
	const uint8_t *end = p + n;
	const struct route *t;
	struct who who;
	bool use;
	struct err e;
	size_t rows;

	if (n < 3)
		return;
	t = route_table(&rows);
	t += p[0] % rows;
	if (is_dear(t) && p[2] != 7)
		return;
	f.who = p[1] < 192 ? (t->role == ROLE_NODE ? WHO_NODE : WHO_RIGHT) : p[1] % 4;
	p += 3;
	CLEANUP(freep) char *texts = xcalloc(1, n + TEXTS);
	char *at = texts;
	for (size_t i = 0; i < TEXTS; i++) {
		size_t len = 0;

		while (p + len < end && p[len])
			len++;
		f.texts[i] = at;
		memcpy(at, p, len);
		at += len + 1;
		p += len + (p + len < end);
	}
	CLEANUP(freep) char *body = xcalloc(1, (size_t)(end - p) + 1);
	CLEANUP(freep) char *path = path_of(t, is_end(t, f.texts[0]) ? "2" : f.texts[0]);
	memcpy(body, p, (size_t)(end - p));
	if (auth_bearer(w.m.auth, w.token, clock_ms(), &who, &use, &e) || who.role != ROLE_SUPER_ADMIN)
		sign_in();
	f.r.m = &w.m;
	f.r.now = clock_ms();
	f.r.lookup = lookup;
	f.r.body = body;
	f.r.body_len = (size_t)(end - p);
	f.r.ticket.wake = wake;
	str_cut(f.r.peer, sizeof(f.r.peer), "192.0.2.7");
	buf_init(&f.r.out, REPLY_MAX);
	/* lookup gives the whole header */
	CLEANUP(freep) char *bearer = xasprintf("Bearer %s", w.token);
	char *plain = w.token;
	w.token = bearer;
	run_one(&f, t, path);
	w.token = plain;
	once_free(f.r.once);
	if (f.r.state_free)
		f.r.state_free(f.r.state);
	buf_done(&f.r.out);
}

/* ---- where to begin: a good request of each row */

static void put_good(struct json_out *o, const struct shape *s, bool all, unsigned depth);

static void put_text(struct json_out *o, const char *key, const struct field *f)
{
	const char *text = str_eq(f->name, "url") ? "https://127.0.0.1:9/x" : f->kind == F_SECRET ? "correct-horse-battery" : "web-02";

	if (f->words)
		json_put_strn(o, key, f->words, strcspn(f->words, " "));
	else
		json_put_str(o, key, text);
}

static void put_value(struct json_out *o, const char *key, const struct field *f, unsigned depth)
{
	switch (f->kind) {
	case F_INT:
	case F_NUM:
		json_put_num(o, key, f->max > f->min ? f->min : 1);
		break;
	case F_BOOL:
		json_put_bool(o, key, true);
		break;
	case F_TIME:
		json_put_time(o, key, clock_ms() + 3600000);
		break;
	case F_UUID:
		json_put_str(o, key, "3b241101-e2bb-4255-8caf-4136c566a962");
		break;
	case F_BYTES:
		json_put_str(o, key, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
		break;
	case F_ANY:
	case F_TEXTS:
	case F_NUMS:
	case F_OBJECTS:
		json_arr(o, key);
		if (f->kind == F_TEXTS || f->kind == F_ANY)
			put_text(o, NULL, f);
		for (int i = 0; i < 3 && f->kind == F_NUMS; i++)
			json_put_num(o, NULL, 0.5);
		if (f->kind == F_OBJECTS && f->of && depth < 4)
			put_good(o, f->of, true, depth + 1);
		json_end_arr(o);
		break;
	default:
		if (f->kind == F_OBJECT && f->of && depth < 4) {
			json_obj(o, key);
			for (const struct field *c = f->of->fields; c->name; c++)
				put_value(o, c->name, c, depth + 1);
			json_end_obj(o);
		} else {
			put_text(o, key, f);
		}
	}
}

static void put_good(struct json_out *o, const struct shape *s, bool all, unsigned depth)
{
	json_obj(o, NULL);
	for (const struct field *f = s->fields; f->name; f++)
		if (all || (f->flags & MUST))
			put_value(o, f->name, f, depth);
	json_end_obj(o);
}

size_t fuzz_seed(size_t i, uint8_t *out, size_t max)
{
	const struct route_doc *d;
	const struct route *t;
	struct json_out o;
	struct buf b;
	size_t rows, n;
	bool all;

	t = route_table(&rows);
	if (i >= 2 * rows)
		return 0;
	/* all that there is, then only what must be */
	all = i < rows;
	i %= rows;
	d = doc_find(t[i].method, t[i].path);
	buf_init(&b, SEED_MAX);
	buf_addc(&b, (char)i);
	buf_addc(&b, 0);
	buf_addc(&b, 7);
	buf_adds(&b, strstr(t[i].path, "uuid") ? "3b241101-e2bb-4255-8caf-4136c566a962" : "1");
	buf_add(&b, "\0\0\0\0\0", 5);
	if (d && d->body) {
		json_out_init(&o, &b);
		put_good(&o, d->body, all, 0);
	}
	n = b.over || b.len > max ? 0 : b.len;
	memcpy(out, b.p, n);
	buf_done(&b);
	return n;
}
