/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dumper and the loader as a program, for tests/e2e/mysql.sh and bench:
 *
 *   dump_tool dump  HOST USER PASSWORD DB DIR [--exclude X]... [--at MEMBER --sql HOOK] [--stop MEMBER]
 *                   [--ssl off|prefer|verify] [--ca FILE] [--connections N] [--grid FOLDER]
 *                   [--method SNAPSHOT] [--wait SECONDS] [--hot TABLE]...
 *                   members go to DIR/1.sql, DIR/2.sql ...; DIR/order lists their
 *                   names, DIR/tables rows and digests (fields ended by NUL).
 *                   DIR "-": all members are thrown away. When the first member
 *                   whose name starts with MEMBER comes, HOOK is run as rig/rigpw
 *                   over another connection, or the dump is asked to stop.
 *                   FOLDER remembers how tables are cut, one file TABLE each.
 *   dump_tool load  HOST USER PASSWORD DB DIR [--definer D] [--piece BYTES]   a new database DB
 *   dump_tool users HOST USER PASSWORD DB FILE    the accounts of the server
 *   dump_tool check HOST USER PASSWORD DB DIR     rows and digests of DIR/tables against DB
 *
 * Ends with the kind's exit code; the message goes to stderr.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "noded/mysql/conn.h"
#include "noded/mysql/dump.h"
#include "noded/mysql/load.h"
#include "shared/list.h"
#include "shared/mem.h"
#include "shared/str.h"

struct tool {
	struct db_access access;
	const char *db, *dir;
	struct strings exclude;
	struct hot hot;
	const char *at, *sql, *stop_at, *definer, *grid;
	const char *method;
	uint64_t piece, connections, wait;
	unsigned members;
	pthread_t threads[DUMP_CONNECTIONS]; /* that have handed over rows */
	unsigned n_threads;
	FILE *order, *pieces;
	uint64_t left;       /* of the member that comes in pieces */
	volatile sig_atomic_t stop;
	unsigned long progress;
};

static int write_file(const char *path, const void *p, size_t n, struct err *e)
{
	CLEANUP(fclosep) FILE *f = fopen(path, "we");

	if (!f || fwrite(p, 1, n, f) != n || fflush(f))
		return err_sys(e, ERR_IO, "write %s", path);
	return 0;
}

static int run_hook(struct tool *t, struct err *e)
{
	struct db_access rig = t->access;
	CLEANUP(conn_freep) struct conn *c = NULL;
	char user[] = "rig", password[] = "rigpw";

	rig.user = user;
	rig.password = password;
	if (conn_open(&c, &rig, e) || conn_use(c, t->db, e))
		return -1;
	for (const char *at = t->sql, *end; *at; at = end + (*end == ';')) { /* no ; inside a statement */
		end = at + strcspn(at, ";");
		if (conn_exec_n(c, at, (size_t)(end - at), e))
			return -1;
	}
	return 0;
}

static void see_thread(struct tool *t, const char *member)
{
	unsigned i = 0;

	if (!str_starts(member, "db/20-data/"))
		return;
	while (i < t->n_threads && !pthread_equal(t->threads[i], pthread_self()))
		i++;
	if (i == t->n_threads)
		t->threads[t->n_threads++] = pthread_self();
}

static int take_member(void *ctx, const char *name, const void *p, size_t n, struct err *e)
{
	struct tool *t = ctx;

	t->members++;
	see_thread(t, name);
	if (!str_eq(t->dir, "-")) {
		CLEANUP(freep) char *path = xasprintf("%s/%u.sql", t->dir, t->members);

		fprintf(t->order, "%s\n", name);
		if (write_file(path, p, n, e))
			return -1;
	}
	if (t->stop_at && str_starts(name, t->stop_at))
		t->stop = 1;
	if (t->at && str_starts(name, t->at)) {
		t->at = NULL;
		return run_hook(t, e);
	}
	return 0;
}

static int take_begin(void *ctx, const char *name, uint64_t size, struct err *e)
{
	struct tool *t = ctx;
	CLEANUP(freep) char *path = xasprintf("%s/%u.sql", t->dir, ++t->members);

	see_thread(t, name);
	t->left = size;
	if (str_eq(t->dir, "-"))
		return 0;
	fprintf(t->order, "%s\n", name);
	t->pieces = fopen(path, "we");
	return t->pieces ? 0 : err_sys(e, ERR_IO, "write %s", path);
}

static int take_piece(void *ctx, const void *p, size_t n, struct err *e)
{
	struct tool *t = ctx;

	if (n > t->left)
		return err_set(e, ERR_INTERNAL, "a member is longer than it said");
	t->left -= n;
	return t->pieces && fwrite(p, 1, n, t->pieces) != n ? err_sys(e, ERR_IO, "write a piece") : 0;
}

static int take_end(void *ctx, struct err *e)
{
	struct tool *t = ctx;

	fclosep(&t->pieces);
	t->pieces = NULL;
	return t->left ? err_set(e, ERR_INTERNAL, "a member is shorter than it said") : 0;
}

static void take_fail(void *ctx)
{
	struct tool *t = ctx;

	fclosep(&t->pieces);
	t->pieces = NULL;
}

static void take_progress(void *ctx, const char *table, uint64_t rows, uint64_t bytes)
{
	(void)table;
	(void)rows;
	(void)bytes;
	((struct tool *)ctx)->progress++;
}

static void take_warning(void *ctx, const char *text)
{
	(void)ctx;
	printf("warning: %s\n", text);
}

static int write_tables(const struct tool *t, const struct dump_result *r, struct err *e)
{
	CLEANUP(freep) char *path = xasprintf("%s/tables", t->dir);
	CLEANUP(fclosep) FILE *f = fopen(path, "we");

	if (!f)
		return err_sys(e, ERR_IO, "write %s", path);
	for (size_t i = 0; i < r->tables.n; i++) {
		const struct dump_table *k = &r->tables.v[i];

		if (!k->data)
			continue;
		fprintf(f, "%s%c%s%c%" PRIu64 " ", k->name, 0, k->select_list, 0, k->rows);
		for (size_t j = 0; j < 16; j++)
			fprintf(f, "%02x", k->digest[j]);
		fputc(0, f);
	}
	return fflush(f) ? err_sys(e, ERR_IO, "write %s", path) : 0;
}

static int load_grid(void *ctx, const char *db, const char *table, int *shift, struct err *e)
{
	const struct tool *t = ctx;
	CLEANUP(freep) char *path = xasprintf("%s/%s", t->grid, table);
	CLEANUP(fclosep) FILE *f = fopen(path, "re");
	char text[8] = "";
	uint64_t v;

	(void)db;
	if (!f)
		return 0;
	if (!fgets(text, sizeof(text), f) || str_to_u64(&v, text, 0, 64))
		return err_set(e, ERR_IO, "read %s", path);
	*shift = (int)v;
	return 0;
}

static int save_grid(void *ctx, const char *db, const char *table, int shift, struct err *e)
{
	const struct tool *t = ctx;
	CLEANUP(freep) char *path = xasprintf("%s/%s", t->grid, table);
	char text[8];

	(void)db;
	snprintf(text, sizeof(text), "%d", shift);
	return write_file(path, text, strlen(text), e);
}

static void tell_hot(struct dump *d)
{
	CLEANUP(hot_done) struct hot hot = {0};

	dump_hot(d, &hot);
	for (size_t i = 0; i < hot.n; i++)
		printf("disturbed at %s.%s\n", hot.v[i].db, hot.v[i].table);
}

static int do_dump(struct tool *t, struct err *e)
{
	const struct dump_grid grid = {.load = load_grid, .save = save_grid, .ctx = t};
	struct dump_opts o = {.access = &t->access, .connections = (unsigned)t->connections, .grid = t->grid ? &grid : NULL,
				.ddl_wait_s = (int64_t)t->wait, .method = t->method, .hot = &t->hot, .stop = &t->stop};
	struct dump_sink sink = {.member = take_member, .begin = take_begin, .write = take_piece, .end = take_end,
				.fail = take_fail, .progress = take_progress, .warn = take_warning, .ctx = t};
	CLEANUP(dump_closep) struct dump *d = NULL;
	CLEANUP(dump_result_done) struct dump_result r = {0};
	CLEANUP(freep) char *path = xasprintf("%s/order", t->dir);
	const char *x;
	CLEANUP(fclosep) FILE *order = str_eq(t->dir, "-") ? NULL : fopen(path, "we");

	t->order = order;
	if (dump_open(&d, &o, e))
		return -1;
	if (dump_database(d, t->db, &t->exclude, &sink, &r, e)) {
		tell_hot(d);
		return -1;
	}
	printf("method: %s (%s)\nposition: %s\nestimate: %" PRIu64 "\n", dump_method(d), dump_note(d), dump_position(d),
	       dump_estimate(d, t->db));
	printf("tables %zu rows %" PRIu64 " bytes %" PRIu64 " views %u triggers %u routines %u events %u sequences %u\n",
	       r.tables.n, r.rows, r.bytes, r.views, r.triggers, r.routines, r.events, r.sequences);
	for (size_t at = 0; (x = dump_unmatched(d, &t->exclude, &at));)
		printf("no table \"%s\"\n", x);
	printf("members %u progress %s readers %u\n", t->members, t->progress ? "told" : "none", t->n_threads);
	return order ? write_tables(t, &r, e) : 0;
}

static int load_member(struct tool *t, struct load *l, const char *name, struct err *e)
{
	CLEANUP(freep) char *path = xasprintf("%s/%u.sql", t->dir, ++t->members);
	CLEANUP(freep) char *bytes = xmalloc(t->piece);
	CLEANUP(fclosep) FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return err_sys(e, ERR_IO, "read %s", path);
	while ((n = fread(bytes, 1, t->piece, f)) > 0)
		if (load_feed(l, name, bytes, n, e))
			return -1;
	return load_end(l, e);
}

static int do_load(struct tool *t, struct err *e)
{
	struct load_opts o = {.access = &t->access, .db = t->db, .create = true, .definer = t->definer};
	CLEANUP(load_closep) struct load *l = NULL;
	CLEANUP(freep) char *path = xasprintf("%s/order", t->dir);
	CLEANUP(fclosep) FILE *order = fopen(path, "re");
	CLEANUP(freep) char *name = NULL;
	size_t cap = 0;

	if (!order)
		return err_sys(e, ERR_IO, "read %s", path);
	if (load_open(&l, &o, e))
		return -1;
	while (getline(&name, &cap, order) > 0) {
		name[strcspn(name, "\n")] = '\0';
		if (load_member(t, l, name, e))
			return -1;
	}
	return 0;
}

static int check_table(struct load *l, const char *name, const char *list, const char *want, struct err *e)
{
	char got[64], hex[33];
	uint8_t digest[16];
	uint64_t rows;

	if (load_check(l, name, list, &rows, digest, e))
		return -1;
	for (size_t j = 0; j < 16; j++)
		snprintf(hex + 2 * j, 3, "%02x", digest[j]);
	snprintf(got, sizeof(got), "%" PRIu64 " %s", rows, hex);
	if (!str_eq(got, want))
		return err_set(e, ERR_DAMAGED, "table `%s`: %s, not %s", name, got, want);
	return 0;
}

static int do_check(struct tool *t, struct err *e)
{
	struct load_opts o = {.access = &t->access, .db = t->db};
	CLEANUP(load_closep) struct load *l = NULL;
	CLEANUP(freep) char *path = xasprintf("%s/tables", t->dir);
	CLEANUP(fclosep) FILE *f = fopen(path, "re");
	CLEANUP(freep) char *name = NULL, *list = NULL, *want = NULL;
	size_t a = 0, b = 0, c = 0, tables = 0;

	if (!f)
		return err_sys(e, ERR_IO, "read %s", path);
	if (load_open(&l, &o, e))
		return -1;
	for (; getdelim(&name, &a, 0, f) > 0 && getdelim(&list, &b, 0, f) > 0 && getdelim(&want, &c, 0, f) > 0; tables++)
		if (check_table(l, name, list, want, e))
			return -1;
	printf("checked %zu\n", tables);
	return 0;
}

static int write_users(void *ctx, const char *name, const void *p, size_t n, struct err *e)
{
	const struct tool *t = ctx;

	printf("%s\n", name);
	return write_file(t->dir, p, n, e);
}

static int do_users(struct tool *t, struct err *e)
{
	struct dump_opts o = {.access = &t->access, .connections = 1, .ddl_wait_s = 10};
	struct dump_sink sink = {.member = write_users, .warn = take_warning, .ctx = t};
	CLEANUP(dump_closep) struct dump *d = NULL;
	unsigned n;

	/* twice: one snapshot of a whole server puts them into each archive */
	if (dump_open(&d, &o, e) || dump_accounts(d, &sink, &n, e) || dump_accounts(d, &sink, &n, e))
		return -1;
	printf("accounts %u\n", n);
	return 0;
}

static void read_option(struct tool *t, const char *name, char *value)
{
	if (str_eq(name, "--exclude"))
		*list_push(&t->exclude) = value;
	else if (str_eq(name, "--hot"))
		hot_add(&t->hot, t->db, value);
	else if (str_eq(name, "--at"))
		t->at = value;
	else if (str_eq(name, "--sql"))
		t->sql = value;
	else if (str_eq(name, "--stop"))
		t->stop_at = value;
	else if (str_eq(name, "--ssl"))
		t->access.ssl = value;
	else if (str_eq(name, "--ca"))
		t->access.ssl_ca = value;
	else if (str_eq(name, "--method"))
		t->method = value;
	else if (str_eq(name, "--wait") && str_to_u64(&t->wait, value, 1, 3600))
		abort();
	else if (str_eq(name, "--definer"))
		t->definer = value;
	else if (str_eq(name, "--grid"))
		t->grid = value;
	else if (str_eq(name, "--connections") && str_to_u64(&t->connections, value, 1, DUMP_CONNECTIONS))
		abort();
	else if (str_eq(name, "--piece") && str_to_u64(&t->piece, value, 1, 1 << 30))
		abort();
}

int main(int argc, char **argv)
{
	struct tool t = {.piece = 65536, .connections = 1, .wait = 10, .definer = "keep"};
	struct err e = {0};
	char none[] = "";
	int failed;

	if (argc < 7)
		return 2;
	t.access = (struct db_access){.host = argv[2], .user = argv[3], .password = argv[4], .ssl = none, .ssl_ca = none};
	t.db = argv[5];
	t.dir = argv[6];
	for (int i = 7; i + 1 < argc; i += 2)
		read_option(&t, argv[i], argv[i + 1]);
	failed = str_eq(argv[1], "dump")    ? do_dump(&t, &e)
		 : str_eq(argv[1], "load")  ? do_load(&t, &e)
		 : str_eq(argv[1], "users") ? do_users(&t, &e)
					    : do_check(&t, &e);
	list_done(&t.exclude);
	hot_done(&t.hot);
	if (failed)
		fprintf(stderr, "%s: %s\n", err_name(e.kind), e.msg);
	return failed ? err_exit_code(e.kind) : 0;
}
