/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "noded/cmd.h"
#include "noded/run/check.h"
#include "shared/clock.h"
#include "shared/fs.h"
#include "shared/json.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"

/* felloe-noded check: every problem at once, before a run meets it at night. */

enum { STDIN_MAX = 4 << 20 };

static const struct { const char *name; unsigned parts; } parts[] = {
	{"sites", CHECK_SITES}, {"storages", CHECK_STORAGES}, {"timers", CHECK_TIMERS}, {"master", CHECK_MASTER},
};

struct checked {
	struct config *config;               /* NULL: it cannot be used */
	struct problems problems, unknown;
	struct err e;                        /* why config is NULL */
	struct check check;
};

static void checked_done(struct checked *k)
{
	check_done(&k->check);
	config_free(k->config);
	problems_done(&k->problems);
	problems_done(&k->unknown);
}

static void text_done(struct buf *b)
{
	if (b->len)
		mem_wipe(b->p, b->len);
	buf_done(b);
}

static int load(struct checked *k, const char *path)
{
	CLEANUP(text_done) struct buf text = {0};

	if (!str_eq(path, "-"))
		return config_load(&k->config, path, &k->problems, &k->unknown, &k->e);
	buf_init(&text, STDIN_MAX);
	for (size_t got = 1; got && !text.over;) {
		char piece[4096];

		if (fs_read_full(STDIN_FILENO, piece, sizeof(piece), &got, &k->e))
			return -1;
		buf_add(&text, piece, got);
		mem_wipe(piece, sizeof(piece));
	}
	if (buf_check(&text, "the configuration on standard input", &k->e))
		return -1;
	return config_parse(&k->config, text.p, text.len, "standard input", &k->problems, &k->unknown, &k->e);
}

/* ---- JSON */

static void put_texts(struct json_out *o, const char *key, const struct check_texts *list)
{
	json_arr(o, key);
	for (size_t i = 0; i < list->n; i++) {
		json_obj(o, NULL);
		json_put_str(o, "path", list->v[i].path);
		json_put_str(o, "message", list->v[i].msg);
		json_end_obj(o);
	}
	json_end_arr(o);
}

static void put_problems(struct json_out *o, const struct checked *k)
{
	const struct problems *const lists[] = {&k->problems, &k->unknown};

	json_arr(o, "problems");
	for (size_t l = 0; l < ARRAY_LEN(lists); l++)
		for (size_t i = 0; i < lists[l]->n; i++) {
			json_obj(o, NULL);
			json_put_str(o, "path", lists[l]->v[i].path);
			json_put_str(o, "message", lists[l]->v[i].msg);
			json_end_obj(o);
		}
	if (!k->config && !k->problems.n) {
		json_obj(o, NULL);
		json_put_str(o, "path", "");
		json_put_str(o, "message", k->e.msg);
		json_end_obj(o);
	}
	json_end_arr(o);
}

/* check-size: the members of one JSON object */
static void put_step(struct json_out *o, const char *key, bool tried, bool ok, int64_t ms, const char *error)
{
	if (!tried) {
		json_put_null(o, key);
		return;
	}
	json_obj(o, key);
	json_put_bool(o, "ok", ok);
	json_put_int(o, "ms", ms);
	json_put_str(o, "error", *error ? error : NULL);
	json_end_obj(o);
}

static void put_outcome(struct json_out *o, const char *name, bool ok, const char *error)
{
	if (name)
		json_put_str(o, "name", name);
	json_put_bool(o, "ok", ok);
	json_put_str(o, "error", *error ? error : NULL);
}

static void put_sites(struct json_out *o, const struct check *r)
{
	json_arr(o, "sites");
	for (size_t i = 0; i < r->sites.n; i++) {
		const struct check_site *s = &r->sites.v[i];

		json_obj(o, NULL);
		put_outcome(o, s->name, s->ok, s->error);
		json_put_str(o, "database", s->has_db ? s->database : NULL);
		if (*s->server_version) {
			json_put_str(o, "server_version", s->server_version);
			json_put_str(o, "cluster", *s->cluster ? s->cluster : NULL);
			json_put_str(o, "snapshot", s->snapshot);
			json_put_str(o, "advice", *s->advice ? s->advice : NULL);
			json_put_int(o, "clock_ms", s->clock_off_ms);
		}
		if (s->db_bytes >= 0)
			json_put_int(o, "db_bytes", s->db_bytes);
		if (s->tables >= 0)
			json_put_int(o, "tables", s->tables);
		json_end_obj(o);
	}
	json_end_arr(o);
}

static void put_storages(struct json_out *o, const struct check *r)
{
	json_arr(o, "storages");
	for (size_t i = 0; i < r->storages.n; i++) {
		const struct check_storage *s = &r->storages.v[i];
		const struct store_test *t = &s->test;

		json_obj(o, NULL);
		put_outcome(o, s->name, s->ok, s->error);
		put_step(o, "list", t->list.tried, t->list.ok, t->list.ms, t->list.error);
		put_step(o, "write", t->write.tried, t->write.ok, t->write.ms, t->write.error);
		put_step(o, "read", t->read.tried, t->read.ok, t->read.ms, t->read.error);
		put_step(o, "delete", t->remove.tried, t->remove.ok, t->remove.ms, t->remove.error);
		json_end_obj(o);
	}
	json_end_arr(o);
}

static void put_timers(struct json_out *o, const struct check *r)
{
	json_arr(o, "timers");
	for (size_t i = 0; i < r->timers.n; i++) {
		json_obj(o, NULL);
		put_outcome(o, r->timers.v[i].name, r->timers.v[i].ok, r->timers.v[i].error);
		json_put_time(o, "next", r->timers.v[i].next);
		json_end_obj(o);
	}
	json_end_arr(o);
}

static void put_master(struct json_out *o, const struct check_master *m)
{
	if (!m->tried) {
		json_put_null(o, "master");
		return;
	}
	json_obj(o, "master");
	put_outcome(o, NULL, m->ok, m->error);
	json_put_str(o, "pin", *m->pin ? m->pin : NULL);
	json_put_int(o, "ms", m->ms);
	json_put_int(o, "clock_ms", m->clock_off_ms);
	json_end_obj(o);
}

static int print_json(const struct checked *k, int code)
{
	struct cmd_json j;
	int rc;

	cmd_json_begin(&j);
	json_put_bool(&j.o, "ok", code == 0 || code == 3);
	put_problems(&j.o, k);
	put_texts(&j.o, "failures", &k->check.failures);
	put_texts(&j.o, "warnings", &k->check.warnings);
	put_sites(&j.o, &k->check);
	put_storages(&j.o, &k->check);
	put_timers(&j.o, &k->check);
	put_master(&j.o, &k->check.master);
	rc = cmd_json_end(&j, "the result");
	return rc ? rc : code;
}

/* ---- text */

static void print_line(const char *level, const char *path, const char *msg)
{
	CLEANUP(freep) char *text = xstrdup(msg);

	str_clean(text); /* a name in it may hold anything */
	printf("%-8s %s%s%s\n", level, path, *path ? ": " : "", text);
}

static void print_good(const struct check *r)
{
	char bytes[UNITS_TEXT], when[CLOCK_TEXT];

	for (size_t i = 0; i < r->sites.n; i++) {
		const struct check_site *s = &r->sites.v[i];
		CLEANUP(freep) char *database = xstrdup(s->database);

		str_clean(database);
		if (s->ok && s->has_db)
			printf("ok       site %s: database %s, %s, on %s\n", s->name, database,
			       units_bytes(bytes, (uint64_t)s->db_bytes), s->server_version);
		else if (s->ok)
			printf("ok       site %s: files only\n", s->name);
		if (s->ok && *s->cluster)
			printf("ok       site %s: %s\n", s->name, s->cluster);
		if (s->ok && *s->snapshot)
			printf("ok       site %s: snapshot by %s\n", s->name, s->snapshot);
		if (s->ok && *s->advice)
			print_line("better", s->name, s->advice);
	}
	for (size_t i = 0; i < r->storages.n; i++) {
		const struct check_storage *s = &r->storages.v[i];

		if (s->ok)
			printf("ok       storage %s: list %lld ms, write %lld ms, read %lld ms, delete %lld ms\n", s->name,
			       (long long)s->test.list.ms, (long long)s->test.write.ms, (long long)s->test.read.ms,
			       (long long)s->test.remove.ms);
	}
	for (size_t i = 0; i < r->timers.n; i++)
		if (r->timers.v[i].ok)
			printf("ok       timer %s: next %s\n", r->timers.v[i].name,
			       r->timers.v[i].next ? clock_rfc3339(when, r->timers.v[i].next) : "-");
	if (r->master.ok)
		printf("ok       master: answered in %lld ms\n", (long long)r->master.ms);
}

static int print_text(const struct checked *k, int code)
{
	for (size_t i = 0; i < k->problems.n; i++)
		print_line("PROBLEM", k->problems.v[i].path, k->problems.v[i].msg);
	for (size_t i = 0; i < k->unknown.n; i++)
		print_line("PROBLEM", k->unknown.v[i].path, k->unknown.v[i].msg);
	if (!k->config && !k->problems.n)
		print_line("PROBLEM", "", k->e.msg);
	for (size_t i = 0; i < k->check.failures.n; i++)
		print_line("FAILED", k->check.failures.v[i].path, k->check.failures.v[i].msg);
	for (size_t i = 0; i < k->check.warnings.n; i++)
		print_line("warning", k->check.warnings.v[i].path, k->check.warnings.v[i].msg);
	print_good(&k->check);
	return code;
}

static int exit_code(const struct checked *k)
{
	if (!k->config || k->problems.n || k->unknown.n)
		return err_exit_code(ERR_CONFIG);
	if (k->check.failures.n)
		return 1;
	return k->check.warnings.n ? 3 : 0;
}

static int parts_of(const char *only, unsigned *ret, struct err *e)
{
	*ret = CHECK_ALL;
	if (!only)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (str_eq(only, parts[i].name)) {
			*ret = parts[i].parts;
			return 0;
		}
	return err_set(e, ERR_USAGE, "--only: \"%s\" is not one of sites, storages, timers, master", only);
}

int cmd_check(int argc, char **argv)
{
	CLEANUP(checked_done) struct checked k = {0};
	struct cmd c = {0};
	bool json = false;
	const char *only = NULL;
	unsigned what;
	const struct opt opts[] = {
		{.name = "json", .type = OPT_FLAG, .to = &json, .help = "Print JSON."},
		{.name = "only", .type = OPT_STR, .to = &only, .arg = "PART",
		 .help = "Try only the \"sites\", \"storages\", \"timers\" or the \"master\"."},
		CMD_OPTS(c),
		{0},
	};
	int n, rc = cmd_start(&c, opts, argc, argv, &n);

	if (rc >= 0)
		return rc;
	if (cmd_too_many(n, argv))
		return err_exit_code(ERR_USAGE);
	if (parts_of(only, &what, &k.e))
		return cmd_fail(&k.e);
	if (load(&k, c.config_path) == 0)
		check_run(&k.check, k.config, what);
	rc = exit_code(&k);
	return json ? print_json(&k, rc) : print_text(&k, rc);
}
