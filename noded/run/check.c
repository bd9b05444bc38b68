/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/check.h"

#include <config.h>

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "noded/agent/calendar.h"
#include "noded/files/glob.h"
#include "noded/mysql/dump.h"
#include "noded/mysql/server.h"
#include "noded/mysql/version.h"
#include "noded/run/catalogue.h"
#include "noded/run/check_priv.h"
#include "noded/run/hooks.h"
#include "noded/run/keep.h"
#include "noded/run/stream.h"
#include "noded/site.h"
#include "shared/client.h"
#include "shared/clock.h"
#include "shared/fs.h"
#include "shared/http.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"

enum {
	RIGHTS_TOLD = 5, /* databases that an account may not read all of */
	CLOCK_OFF_MS = 60000,       /* a clock that differs by more deserves a look */
	PACKET_MIN = 16 << 20,
};
/* 2026-01-01: no machine with this program is older. */
static const int64_t clock_floor_ms = 1767225600000;

void check_add(struct check_texts *list, const char *path, const char *fmt, ...)
{
	struct check_text *t = list_push(list);
	char text[ERR_MSG_MAX + 256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	str_clean(text);
	t->path = xstrdup(path);
	t->msg = xstrdup(text);
}

/* ---- sites */

struct site_check {
	struct check *r;
	const struct config *c;
	const struct site *s;
	struct check_site *out;
	char base[64];
};

PRINTF(3, 4) static void site_failed(struct site_check *k, const char *key, const char *fmt, ...)
{
	char text[ERR_MSG_MAX], path[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	str_clean(text);
	snprintf(path, sizeof(path), "%s%s%s", k->base, *key ? "." : "", key);
	check_add(&k->r->failures, path, "%s", text);
	if (k->out->ok)
		str_cut(k->out->error, sizeof(k->out->error), text);
	k->out->ok = false;
}

/* A run says the same, one warning for each kind of thing that it could not read. */
static int check_rights(struct site_check *k, const struct db_access *access, struct dump *d, const struct strings *names,
			struct err *e)
{
	CLEANUP(freep) char *path = xasprintf("%s.db_user", k->base);
	char lacks[DUMP_LACKS];
	unsigned told = 0;
	bool all = true;

	if (str_eq(k->out->database, "*") && dump_sees_all(d, &all, e))
		return -1;
	if (!all)
		check_add(&k->r->warnings, path, "%s may see some databases only: others, if there are any, are not in the backup (GRANT "
		    "SELECT ON *.*)", access->user);
	for (size_t i = 0; i < names->n && told < RIGHTS_TOLD; i++) {
		if (dump_lacks(d, names->v[i], lacks, e))
			return -1;
		if (!*lacks)
			continue;
		check_add(&k->r->warnings, path, "%s may not %s on database %s: what needs it is not in the backup (GRANT %s on it)",
		    access->user, lacks, names->v[i], lacks);
		told++;
	}
	return 0;
}

/* All databases that a run would read, added up. */
static int size_up(struct site_check *k, const struct db_access *access, const char *db, struct err *e)
{
	const struct dump_opts o = {.access = access, .db = str_eq(db, "*") ? NULL : db,
				    .connections = (unsigned)k->c->mysql_connections, .ddl_wait_s = k->c->ddl_wait_s};
	CLEANUP(dump_closep) struct dump *d = NULL;
	struct strings names = {0};
	int rc;

	if (dump_open(&d, &o, e))
		return -1;
	str_cut(k->out->snapshot, sizeof(k->out->snapshot), dump_method(d));
	dump_advice(d, k->out->advice);
	dump_cluster(d, k->out->cluster);
	if (str_eq(db, "*")) {
		rc = dump_databases(d, &k->s->db_exclude, &names, e);
	} else {
		strings_add(&names, db);
		rc = 0;
	}
	if (rc == 0)
		rc = check_rights(k, access, d, &names, e);
	k->out->db_bytes = 0;
	for (size_t i = 0; i < names.n; i++) {
		k->out->db_bytes += (int64_t)dump_estimate(d, names.v[i]);
		free(names.v[i]);
	}
	if (rc == 0 && !names.n)
		rc = err_set(e, ERR_NOTFOUND, "the account sees no database at all");
	list_done(&names);
	return rc;
}

static void check_database(struct site_check *k)
{
	struct db_access access;
	struct server_facts facts;
	char *db;
	struct err e;

	if (site_db(&access, &db, k->s, &e)) {
		site_failed(k, "db_name", "%s", e.msg);
		return;
	}
	k->out->has_db = *db != '\0';
	str_cut(k->out->database, sizeof(k->out->database), db);
	if (!*db) {
		/* files only */
	} else if (server_look(&access, str_eq(db, "*") ? "" : db, &facts, &e) || size_up(k, &access, db, &e)) {
		site_failed(k, "db_name", "%s", e.msg);
	} else {
		str_cut(k->out->server_version, sizeof(k->out->server_version), facts.version);
		k->out->tables = str_eq(db, "*") ? -1 : facts.tables;
		k->out->clock_off_ms = facts.clock_ms - clock_ms();
		if (!str_eq(db, "*") && !facts.tables)
			site_failed(k, "db_name", "database %s has no tables that the account %s may see", db, facts.account);
		if (llabs(k->out->clock_off_ms) > CLOCK_OFF_MS)
			check_add(&k->r->warnings, k->base, "the clock of the database server is %lld s off",
			    (long long)(k->out->clock_off_ms / 1000));
		if (version_before(facts.version, VERSION_MYSQL_FIRST, VERSION_MARIA_FIRST))
			check_add(&k->r->warnings, k->base, "the server is %s: versions before MySQL 5.6 and MariaDB 10.2 are not "
			    "supported; what a backup of it leaves out is not known", facts.version);
		if (facts.max_packet < PACKET_MIN)
			check_add(&k->r->warnings, k->base, "max_allowed_packet of the server is %lld bytes: rows longer than that "
			    "cannot be read", (long long)facts.max_packet);
	}
	db_access_done(&access);
	free(db);
}

static void check_paths(struct site_check *k)
{
	struct roots roots;

	roots_of(&roots, k->s);
	for (size_t i = 0; i < roots.all.n; i++) {
		const char *path = roots.all.v[i];
		struct stat st;
		int mode = R_OK;

		if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
			mode |= X_OK;
		if (faccessat(AT_FDCWD, path, mode, AT_EACCESS)) {
			struct err e;

			err_fill(&e, ERR_IO, 1, "%s cannot be read", path);
			site_failed(k, "", "%s", e.msg);
		}
	}
	roots_done(&roots);
}

static void check_lists(struct site_check *k)
{
	const struct { const char *key; const struct strings *list; } hooks[] = {
		{"hooks.before", &k->s->hook_before}, {"hooks.after", &k->s->hook_after},
		{"hooks.on_error", &k->s->hook_on_error},
	};
	CLEANUP(globs_freep) struct globs *g = globs_new();
	char key[64];
	struct err e;

	for (size_t i = 0; i < k->s->exclude.n; i++) {
		snprintf(key, sizeof(key), "exclude[%zu]", i);
		if (globs_add(g, k->s->exclude.v[i], &e))
			site_failed(k, key, "%s", e.msg);
	}
	for (size_t h = 0; h < ARRAY_LEN(hooks); h++)
		for (size_t i = 0; i < hooks[h].list->n; i++) {
			char **argv;

			snprintf(key, sizeof(key), "%s[%zu]", hooks[h].key, i);
			if (hook_argv(&argv, hooks[h].list->v[i], &e)) {
				site_failed(k, key, "%s", e.msg);
				continue;
			}
			if (*argv[0] == '/' && access(argv[0], X_OK))
				site_failed(k, key, "%s cannot be executed", argv[0]);
			hook_argv_free(argv);
		}
}

static void check_sites(struct check *r, const struct config *c)
{
	for (size_t i = 0; i < c->sites.n; i++) {
		struct site_check k = {.r = r, .c = c, .s = &c->sites.v[i], .out = list_push(&r->sites)};

		snprintf(k.base, sizeof(k.base), "sites[%zu]", i);
		str_cut(k.out->name, sizeof(k.out->name), k.s->name);
		k.out->ok = true;
		k.out->db_bytes = k.out->tables = -1;
		check_database(&k);
		check_paths(&k);
		check_lists(&k);
	}
}

/* ---- storages */

static void check_used(struct check *r, const struct storage *s, const char *base)
{
	CLEANUP(catalogue_closep) struct catalogue *c = NULL;
	CLEANUP(freep) char *dir = fs_state_dir("node");
	CLEANUP(freep) char *path = xasprintf("%s/catalogue.db", dir);
	int64_t used;
	struct err e;

	if (!fs_exists(path) || catalogue_open(&c, &e) || catalogue_used(c, s->name, &used, &e))
		return;
	if (used > s->limit_bytes)
		check_add(&r->failures, base, "%lld bytes are used, storage_limit_gb is %.3g: no run will be stored there",
		    (long long)used, (double)s->limit_bytes / 1e9);
}

static void check_storages(struct check *r, const struct config *c)
{
	bool any = false;

	for (size_t i = 0; i < c->storages.n; i++) {
		const struct storage *s = &c->storages.v[i];
		struct check_storage *out = list_push(&r->storages);
		char base[64];
		struct err e;

		any = any || s->weight > 0;
		snprintf(base, sizeof(base), "storage[%zu]", i);
		str_cut(out->name, sizeof(out->name), s->name);
		out->ok = store_try(s, &out->test, &e) == 0;
		if (!out->ok) {
			str_cut(out->error, sizeof(out->error), e.msg);
			str_clean(out->error);
			check_add(&r->failures, base, "%s", e.msg);
		}
		check_used(r, s, base);
	}
	if (!any)
		check_add(&r->failures, "storage", "there is no storage with a weight above 0: no run can be stored");
}

/* ---- timers */

static void check_timers(struct check *r, const struct config *c)
{
	for (size_t i = 0; i < c->timers.n; i++) {
		CLEANUP(calendar_done) struct calendar cal = {0};
		struct check_timer *out = list_push(&r->timers);
		char base[64];
		struct err e;

		snprintf(base, sizeof(base), "timers[%zu].on_calendar", i);
		str_cut(out->name, sizeof(out->name), c->timers.v[i].name);
		out->ok = calendar_ask(&cal, c->timers.v[i].on_calendar, 1, &e) == 0;
		if (out->ok) {
			out->next = cal.next.n ? cal.next.v[0] : 0;
			if (!cal.next.n)
				check_add(&r->warnings, base, "never fires again");
			if (*cal.warning)
				check_add(&r->warnings, base, "%s", cal.warning);
		} else if (e.kind == ERR_NOTFOUND) {
			out->ok = true; /* without systemd nobody can tell */
			check_add(&r->warnings, base, "%s", e.msg);
		} else {
			str_cut(out->error, sizeof(out->error), e.msg);
			check_add(&r->failures, base, "%s", e.msg);
		}
		if (!keep_any(&c->timers.v[i].keep)) {
			snprintf(base, sizeof(base), "timers[%zu].keep", i);
			check_add(&r->warnings, base, "has no rule: the runs of this timer are never deleted");
		}
	}
}

/* ---- master */

static int ask_master(struct check_master *m, const struct config *c, struct err *e)
{
	const struct client_opts o = {.url = c->master.url, .pin = str_or(c->master.pin, NULL),
				      .ca_file = str_or(c->master.ca_file, NULL),
				      .user_agent = "felloe-noded/" PACKAGE_VERSION};
	CLEANUP(client_freep) struct client *client = NULL;
	struct client_reply reply = {0};
	int64_t began = clock_mono_ms();
	int rc;

	if (client_new(&client, &o, e))
		return -1;
	rc = client_do(client, &(struct client_call){.method = "GET", .path = "//health"}, &reply, e);
	m->ms = clock_mono_ms() - began;
	if (rc == 0 && reply.date)
		m->clock_off_ms = reply.date - clock_ms();
	client_reply_done(&reply);
	return rc;
}

static void check_master(struct check *r, const struct config *c)
{
	struct check_master *m = &r->master;
	char *secret;
	struct err e;

	if (!*c->master.url)
		return;
	m->tried = true;
	if (str_starts(c->master.url, "https://") && http_peer_pin(c->master.url, m->pin, &e))
		m->pin[0] = '\0'; /* the question itself says why, below */
	m->ok = ask_master(m, c, &e) == 0;
	if (!m->ok) {
		str_cut(m->error, sizeof(m->error), e.msg);
		str_clean(m->error);
		check_add(&r->failures, "master.url", "%s", e.msg);
	}
	if (m->ok && llabs(m->clock_off_ms) > CLOCK_OFF_MS)
		check_add(&r->warnings, "master.url", "the master's clock is %lld s off", (long long)(m->clock_off_ms / 1000));
	if (!*c->master.api_key_file)
		return;
	if (fs_read_secret(&secret, c->master.api_key_file, &e)) {
		check_add(&r->failures, "master.api_key_file", "%s", e.msg);
		return;
	}
	mem_wipe(secret, strlen(secret));
	free(secret);
}

/* ---- this machine */

static void check_dir(struct check *r, char *dir)
{
	CLEANUP(freep) char *path = dir;
	struct err e;

	if (fs_mkdirs(path, 0700, &e))
		check_add(&r->failures, path, "%s", e.msg);
	else if (access(path, W_OK | X_OK))
		check_add(&r->failures, path, "this user may not write there");
}

static void check_local(struct check *r, const struct config *c)
{
	struct stat st;
	bool secrets = false;

	for (size_t i = 0; i < c->sites.n; i++)
		secrets = secrets || *c->sites.v[i].db.password;
	for (size_t i = 0; i < c->storages.n; i++)
		secrets = secrets || *c->storages.v[i].secret_key;
	if (secrets && stat(c->path, &st) == 0 && (st.st_mode & (S_IRGRP | S_IROTH)))
		check_add(&r->warnings, c->path, "holds secrets and others may read it: chmod 600 %s", c->path);
	check_dir(r, fs_state_dir("node"));
	check_dir(r, fs_run_dir("node"));
	check_own_room(r, c);
	if (geteuid() != 0)
		check_add(&r->warnings, "", "not run as root: files that only their owner may read will be skipped");
	if (clock_ms() < clock_floor_ms)
		check_add(&r->failures, "", "the clock of this machine is wrong: it says a time before 2026");
}

void check_run(struct check *ret, const struct config *c, unsigned parts)
{
	*ret = (struct check){0};
	if (parts & CHECK_LOCAL)
		check_local(ret, c);
	if (parts & CHECK_SITES)
		check_sites(ret, c);
	if (parts & CHECK_STORAGES) {
		check_storages(ret, c);
		check_room(ret, c);
	}
	if (parts & CHECK_TIMERS)
		check_timers(ret, c);
	if (parts & CHECK_MASTER)
		check_master(ret, c);
}

static void texts_done(struct check_texts *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].path);
		free(l->v[i].msg);
	}
	list_done(l);
}

void check_done(struct check *r)
{
	texts_done(&r->failures);
	texts_done(&r->warnings);
	list_done(&r->sites);
	list_done(&r->storages);
	list_done(&r->timers);
}
