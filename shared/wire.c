/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/wire.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "shared/mem.h"
#include "shared/str.h"

/* One table a struct drives writing and reading, so that the two cannot drift
 * apart. A member that is unknown (-1, NAN, 0 for a time, "") is not written. */
enum field_type { F_TEXT, F_UUID, F_INT, F_NUM, F_BOOL, F_TIME };

struct field {
	const char *key;
	enum field_type type;
	size_t at, size;      /* offset in the struct; room of a text */
	bool required;
	double min, max;      /* F_INT, F_NUM */
};

/* Counts and bytes stay in what a double holds exactly (RFC 8259, section 6). */
#define COUNT_MAX 9007199254740991.0
#define RATE_MAX 1e15
/* More elements than any real node has; a longer list is a problem. */
enum { LIST_MAX = 512 };

#define TEXT(s, key, m) {key, F_TEXT, offsetof(struct s, m), sizeof(((struct s *)0)->m), false, 0, 0}
#define TEXT_NEEDED(s, key, m) {key, F_TEXT, offsetof(struct s, m), sizeof(((struct s *)0)->m), true, 0, 0}
#define UUID(s, key, m, required) {key, F_UUID, offsetof(struct s, m), UUID_TEXT, required, 0, 0}
#define INT(s, key, m) {key, F_INT, offsetof(struct s, m), 0, false, 0, COUNT_MAX}
#define NUM(s, key, m, max) {key, F_NUM, offsetof(struct s, m), 0, false, 0, max}
#define BOOL(s, key, m) {key, F_BOOL, offsetof(struct s, m), 0, false, 0, 0}
#define TIME(s, key, m) {key, F_TIME, offsetof(struct s, m), 0, false, 0, 0}

static const struct field sample_fields[] = {
	TIME(wire_sample, "ts", ts),
	{"cpu_usage", F_NUM, offsetof(struct wire_sample, cpu), 0, true, 0, 100},
	{"disk_usage", F_NUM, offsetof(struct wire_sample, disk), 0, true, 0, 100},
	{"active_backups", F_INT, offsetof(struct wire_sample, active_backups), 0, true, 0, 100000},
	INT(wire_sample, "uptime_s", uptime_s),
	INT(wire_sample, "cores", cores),
	INT(wire_sample, "mysql_threads_running", mysql_threads_running),
	INT(wire_sample, "outbox_depth", outbox_depth),
	TEXT(wire_sample, "agent_version", agent_version),
};
static const struct field memory_fields[] = {
	INT(wire_sample, "total", mem_total),
	INT(wire_sample, "used", mem_used),
};
static const struct field swap_fields[] = {
	INT(wire_sample, "total", swap_total),
	INT(wire_sample, "used", swap_used),
};
static const struct field io_fields[] = {
	NUM(wire_sample, "read", io_read, RATE_MAX),
	NUM(wire_sample, "write", io_write, RATE_MAX),
};
static const struct field net_fields[] = {
	NUM(wire_sample, "rx", net_rx, RATE_MAX),
	NUM(wire_sample, "tx", net_tx, RATE_MAX),
};
static const struct field pressure_fields[] = {
	NUM(wire_sample, "cpu", pressure_cpu, 100),
	NUM(wire_sample, "io", pressure_io, 100),
	NUM(wire_sample, "memory", pressure_mem, 100),
};
static const struct field disk_fields[] = {
	TEXT_NEEDED(wire_disk, "mount", mount),
	INT(wire_disk, "total", total),
	INT(wire_disk, "used", used),
	NUM(wire_disk, "percent", percent, 100),
	NUM(wire_disk, "inodes_percent", inodes_percent, 100),
};
static const struct field progress_fields[] = {
	UUID(wire_progress, "uuid", uuid, true),
	TEXT_NEEDED(wire_progress, "site", site),
	TEXT(wire_progress, "timer", timer),
	TEXT(wire_progress, "what", what),
	TEXT(wire_progress, "phase", phase),
	TEXT(wire_progress, "item", item),
	TEXT(wire_progress, "storage", storage),
	TIME(wire_progress, "started", started),
	INT(wire_progress, "bytes_done", bytes_done),
	INT(wire_progress, "bytes_total", bytes_total),
	INT(wire_progress, "bytes_stored", bytes_stored),
	NUM(wire_progress, "rate", rate, RATE_MAX),
	NUM(wire_progress, "rate_avg", rate_avg, RATE_MAX),
	INT(wire_progress, "files", files),
	INT(wire_progress, "rows", rows),
	INT(wire_progress, "skipped", skipped),
	INT(wire_progress, "weight", weight),
};
static const struct field timer_fields[] = {
	TEXT_NEEDED(wire_timer, "name", name),
	TEXT(wire_timer, "on_calendar", on_calendar),
	BOOL(wire_timer, "enabled", enabled),
	BOOL(wire_timer, "active", active),
	BOOL(wire_timer, "running", running),
	BOOL(wire_timer, "persistent", persistent),
	BOOL(wire_timer, "paused", paused),
	TIME(wire_timer, "next", next),
	TIME(wire_timer, "last", last),
	TEXT(wire_timer, "result", result),
	INT(wire_timer, "exit_status", exit_status),
	INT(wire_timer, "took_ms", took_ms),
	INT(wire_timer, "spread_s", spread_s),
};
static const struct field storage_fields[] = {
	TEXT_NEEDED(wire_storage, "name", name),
	TEXT(wire_storage, "type", type),
	TEXT(wire_storage, "endpoint", endpoint),
	TEXT(wire_storage, "bucket", bucket),
	TEXT(wire_storage, "state", state),
	TEXT(wire_storage, "error", error),
	INT(wire_storage, "weight", weight),
	INT(wire_storage, "limit", limit),
	INT(wire_storage, "used", used),
	INT(wire_storage, "free", free),
	INT(wire_storage, "failures", failures),
	TIME(wire_storage, "last_ok", last_ok),
	TIME(wire_storage, "last_failed", last_failed),
	TIME(wire_storage, "rests_until", rests_until),
};
static const struct field run_fields[] = {
	UUID(wire_run, "uuid", uuid, true),
	UUID(wire_run, "batch", batch, false),
	UUID(wire_run, "previous", previous, false),
	{"rev", F_INT, offsetof(struct wire_run, rev), 0, true, 0, COUNT_MAX},
	TEXT_NEEDED(wire_run, "site", site),
	TEXT(wire_run, "timer", timer),
	TEXT(wire_run, "trigger", trigger),
	TEXT(wire_run, "what", what),
	TIME(wire_run, "started", started),
	TIME(wire_run, "finished", finished),
	INT(wire_run, "bytes_in", bytes_in),
	INT(wire_run, "bytes_stored", bytes_stored),
	INT(wire_run, "files", files),
	INT(wire_run, "skipped", skipped),
	INT(wire_run, "rows", rows),
	INT(wire_run, "tables", tables),
	TEXT(wire_run, "snapshot", snapshot),
	TIME(wire_run, "proven", proven),
	TEXT(wire_run, "proof", proof),
	BOOL(wire_run, "held", held),
	TIME(wire_run, "pruned", pruned),
	INT(wire_run, "node_id", node_id),
	TEXT(wire_run, "node", node),
	TIME(wire_run, "began", began),
	TIME(wire_run, "ended", ended),
	INT(wire_run, "clock_ahead_s", clock_ahead_s),
};
static const struct field error_fields[] = {
	TEXT(wire_run, "kind", error_kind),
	TEXT(wire_run, "message", error),
};
static const struct field phase_fields[] = {
	TEXT_NEEDED(wire_phase, "name", name),
	INT(wire_phase, "ms", ms),
};
static const struct field archive_fields[] = {
	TEXT_NEEDED(wire_archive, "storage", storage),
	TEXT(wire_archive, "db", db),
	TEXT_NEEDED(wire_archive, "key", key),
	INT(wire_archive, "size", size),
	TEXT(wire_archive, "sha256", sha256),
	TEXT(wire_archive, "damage", damage),
	TIME(wire_archive, "damage_at", damage_at),
};

/* ---- the tables at work */

static void put_fields(struct json_out *o, const void *from, const struct field *f, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *at = (const char *)from + f[i].at;
		int64_t v = 0;
		double d = 0;

		if (f[i].type == F_TEXT || f[i].type == F_UUID) {
			if (*at)
				json_put_str(o, f[i].key, at);
		} else if (f[i].type == F_INT) {
			memcpy(&v, at, sizeof(v));
			if (v >= 0)
				json_put_int(o, f[i].key, v);
		} else if (f[i].type == F_NUM) {
			memcpy(&d, at, sizeof(d));
			if (isfinite(d))
				json_put_num(o, f[i].key, d);
		} else if (f[i].type == F_BOOL) {
			json_put_bool(o, f[i].key, *(const bool *)(const void *)at);
		} else {
			memcpy(&v, at, sizeof(v));
			if (v != 0)
				json_put_time(o, f[i].key, v);
		}
	}
}

static void path_of(char path[static 128], const char *base, const char *key)
{
	snprintf(path, 128, "%s%s%s", base, *base ? "." : "", key);
}

static bool is_uuid(const char *s)
{
	size_t i;

	for (i = 0; s[i] && i < UUID_TEXT; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s[i] != '-' : !strchr("0123456789abcdef", s[i]))
			return false;
	}
	return i == UUID_TEXT - 1;
}

static void get_text(char *at, const struct json *j, const char *base, const struct field *f, struct problems *p)
{
	const char *s;
	char path[128];

	if (!json_want_str(j, base, f->key, f->required, &s, p))
		return;
	path_of(path, base, f->key);
	if (f->required && !*s)
		problems_add(p, path, "must not be empty");
	else if (f->type == F_UUID && *s && !is_uuid(s))
		problems_add(p, path, "must be a UUID in lower case, such as 3b241101-e2bb-4255-8caf-4136c566a962");
	else if (str_copy(at, f->size, s))
		problems_add(p, path, "is %zu bytes long; at most %zu are accepted", strlen(s), f->size - 1);
}

static void get_fields(void *to, const struct json *j, const char *base, const struct field *f, size_t n,
		       struct problems *p)
{
	for (size_t i = 0; i < n; i++) {
		char *at = (char *)to + f[i].at;
		int64_t v;
		double d;

		if (f[i].type == F_TEXT || f[i].type == F_UUID)
			get_text(at, j, base, &f[i], p);
		else if (f[i].type == F_BOOL)
			json_want_bool(j, base, f[i].key, (bool *)(void *)at, p);
		else if (f[i].type == F_NUM &&
			 json_want_num(j, base, f[i].key, f[i].required, f[i].min, f[i].max, &d, p))
			memcpy(at, &d, sizeof(d));
		else if (f[i].type == F_INT && json_want_int(j, base, f[i].key, f[i].required, (int64_t)f[i].min,
							     (int64_t)f[i].max, &v, p))
			memcpy(at, &v, sizeof(v));
		else if (f[i].type == F_TIME && json_want_time(j, base, f[i].key, f[i].required, &v, p))
			memcpy(at, &v, sizeof(v));
	}
}

#define PUT(o, from, fields) put_fields((o), (from), (fields), ARRAY_LEN(fields))
#define GET(to, j, base, fields, p) get_fields((to), (j), (base), (fields), ARRAY_LEN(fields), (p))

static bool any_known(const void *from, const struct field *f, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *at = (const char *)from + f[i].at;
		int64_t v;
		double d;

		memcpy(&v, at, sizeof(v));
		memcpy(&d, at, sizeof(d));
		if (f[i].type == F_INT ? v >= 0 : isfinite(d))
			return true;
	}
	return false;
}

static void put_group(struct json_out *o, const char *key, const void *from, const struct field *f, size_t n)
{
	if (!any_known(from, f, n))
		return;
	json_obj(o, key);
	put_fields(o, from, f, n);
	json_end_obj(o);
}
#define PUT_GROUP(o, key, from, fields) put_group((o), (key), (from), (fields), ARRAY_LEN(fields))

/* A group is an object of its own in JSON ("memory": {"total": ...}). */
#define GET_GROUP(to, j, base, key, fields, p)                                              \
	do {                                                                                \
		const struct json *group_ = json_want((j), (base), (key), JSON_OBJECT, false, (p)); \
		char path_[128];                                                            \
		path_of(path_, (base), (key));                                              \
		if (group_)                                                                 \
			GET((to), group_, path_, fields, (p));                              \
	} while (0)

/* The elements of list key, each with its path; first element or NULL. */
static const struct json *list_first(const struct json *j, const char *base, const char *key, struct problems *p)
{
	const struct json *list = json_want(j, base, key, JSON_ARRAY, false, p);
	char path[128];

	path_of(path, base, key);
	if (json_count(list) > LIST_MAX) {
		problems_add(p, path, "has %zu elements; at most %d are accepted", json_count(list), LIST_MAX);
		return NULL;
	}
	return json_first(list);
}

/* The path of element i; false (and a problem) when it is no object. */
static bool element(char path[static 128], const struct json *c, const char *base, const char *key, size_t i,
		    struct problems *p)
{
	snprintf(path, 128, "%s%s%s[%zu]", base, *base ? "." : "", key, i);
	if (json_type(c) == JSON_OBJECT)
		return true;
	problems_add(p, path, "must be an object");
	return false;
}

/* ---- sample */

void wire_sample_init(struct wire_sample *s)
{
	*s = (struct wire_sample){.cpu = NAN, .disk = NAN, .active_backups = -1, .mem_total = -1, .mem_used = -1,
				  .swap_total = -1, .swap_used = -1, .load = {NAN, NAN, NAN}, .io_read = NAN,
				  .io_write = NAN, .net_rx = NAN, .net_tx = NAN, .pressure_cpu = NAN,
				  .pressure_io = NAN, .pressure_mem = NAN, .uptime_s = -1, .cores = -1,
				  .mysql_threads_running = -1, .outbox_depth = -1};
}

void wire_sample_done(struct wire_sample *s)
{
	list_done(&s->disks);
	list_done(&s->runs);
	list_done(&s->timers);
	list_done(&s->storages);
}

void wire_sample_put(struct json_out *o, const char *key, const struct wire_sample *s)
{
	json_obj(o, key);
	PUT(o, s, sample_fields);
	PUT_GROUP(o, "memory", s, memory_fields);
	PUT_GROUP(o, "swap", s, swap_fields);
	if (isfinite(s->load[0]) && isfinite(s->load[1]) && isfinite(s->load[2])) {
		json_arr(o, "load");
		for (size_t i = 0; i < 3; i++)
			json_put_num(o, NULL, s->load[i]);
		json_end_arr(o);
	}
	PUT_GROUP(o, "io", s, io_fields);
	PUT_GROUP(o, "net", s, net_fields);
	PUT_GROUP(o, "pressure", s, pressure_fields);
	if (s->disks.n) {
		json_arr(o, "disks");
		for (size_t i = 0; i < s->disks.n; i++) {
			json_obj(o, NULL);
			PUT(o, &s->disks.v[i], disk_fields);
			json_end_obj(o);
		}
		json_end_arr(o);
	}
	if (s->runs.n) {
		json_arr(o, "runs");
		for (size_t i = 0; i < s->runs.n; i++)
			wire_progress_put(o, NULL, &s->runs.v[i]);
		json_end_arr(o);
	}
	if (s->timers.n) {
		json_arr(o, "timers");
		for (size_t i = 0; i < s->timers.n; i++)
			wire_timer_put(o, NULL, &s->timers.v[i]);
		json_end_arr(o);
	}
	if (s->storages.n) {
		json_arr(o, "storages");
		for (size_t i = 0; i < s->storages.n; i++)
			wire_storage_put(o, NULL, &s->storages.v[i]);
		json_end_arr(o);
	}
	json_end_obj(o);
}

static void get_load(double load[static 3], const struct json *j, const char *base, struct problems *p)
{
	const struct json *list = json_want(j, base, "load", JSON_ARRAY, false, p);
	double v[3];
	size_t n = 0;
	char path[128];

	if (!list)
		return;
	path_of(path, base, "load");
	for (const struct json *c = json_first(list); c && n < 3; c = json_next(c), n++) {
		v[n] = json_num(c);
		if (json_type(c) != JSON_NUMBER || !(v[n] >= 0 && v[n] <= 1e6))
			break;
	}
	if (n == 3 && json_count(list) == 3)
		memcpy(load, v, sizeof(v));
	else
		problems_add(p, path, "must be three numbers: the load of 1, 5 and 15 minutes");
}

static void storage_get(struct wire_storage *ret, const struct json *j, const char *base, struct problems *p)
{
	*ret = (struct wire_storage){.weight = -1, .limit = -1, .used = -1, .free = -1, .failures = -1};
	GET(ret, j, base, storage_fields, p);
}

void wire_sample_get(struct wire_sample *ret, const struct json *j, const char *base, struct problems *p)
{
	const struct json *c;
	char path[128];
	size_t i;

	wire_sample_init(ret);
	GET(ret, j, base, sample_fields, p);
	GET_GROUP(ret, j, base, "memory", memory_fields, p);
	GET_GROUP(ret, j, base, "swap", swap_fields, p);
	get_load(ret->load, j, base, p);
	GET_GROUP(ret, j, base, "io", io_fields, p);
	GET_GROUP(ret, j, base, "net", net_fields, p);
	GET_GROUP(ret, j, base, "pressure", pressure_fields, p);
	for (c = list_first(j, base, "disks", p), i = 0; c; c = json_next(c), i++)
		if (element(path, c, base, "disks", i, p)) {
			struct wire_disk *d = list_push(&ret->disks);

			*d = (struct wire_disk){.total = -1, .used = -1, .percent = NAN, .inodes_percent = NAN};
			GET(d, c, path, disk_fields, p);
		}
	for (c = list_first(j, base, "runs", p), i = 0; c; c = json_next(c), i++)
		if (element(path, c, base, "runs", i, p))
			wire_progress_get(list_push(&ret->runs), c, path, p);
	for (c = list_first(j, base, "timers", p), i = 0; c; c = json_next(c), i++)
		if (element(path, c, base, "timers", i, p))
			wire_timer_get(list_push(&ret->timers), c, path, p);
	for (c = list_first(j, base, "storages", p), i = 0; c; c = json_next(c), i++)
		if (element(path, c, base, "storages", i, p))
			storage_get(list_push(&ret->storages), c, path, p);
}

void wire_storage_put(struct json_out *o, const char *key, const struct wire_storage *s)
{
	json_obj(o, key);
	PUT(o, s, storage_fields);
	json_end_obj(o);
}

/* ---- progress and timer */

void wire_progress_put(struct json_out *o, const char *key, const struct wire_progress *p)
{
	json_obj(o, key);
	PUT(o, p, progress_fields);
	json_end_obj(o);
}

void wire_progress_get(struct wire_progress *ret, const struct json *j, const char *base, struct problems *p)
{
	*ret = (struct wire_progress){.bytes_done = -1, .bytes_total = -1, .bytes_stored = -1, .rate = NAN,
				      .rate_avg = NAN, .files = -1, .rows = -1, .skipped = -1, .weight = -1};
	GET(ret, j, base, progress_fields, p);
}

void wire_timer_put(struct json_out *o, const char *key, const struct wire_timer *t)
{
	json_obj(o, key);
	PUT(o, t, timer_fields);
	json_end_obj(o);
}

void wire_timer_get(struct wire_timer *ret, const struct json *j, const char *base, struct problems *p)
{
	*ret = (struct wire_timer){.exit_status = -1, .took_ms = -1, .spread_s = -1};
	GET(ret, j, base, timer_fields, p);
}

/* ---- run */

static const char *const state_names[RUN_STATES] = {"running", "ok",      "warning", "failed",
						    "aborted", "skipped", "suspect"};

const char *run_state_name(enum run_state s)
{
	return s < RUN_STATES ? state_names[s] : "unknown";
}

int run_state_from(enum run_state *ret, const char *name)
{
	for (unsigned i = 0; i < RUN_STATES; i++)
		if (str_eq(state_names[i], name)) {
			*ret = (enum run_state)i;
			return 0;
		}
	return -1;
}

bool run_state_good(enum run_state s)
{
	return s == RUN_OK || s == RUN_WARNING;
}

void wire_run_init(struct wire_run *r)
{
	*r = (struct wire_run){
		.bytes_in = -1, .bytes_stored = -1, .files = -1, .skipped = -1, .rows = -1, .tables = -1, .clock_ahead_s = -1};
}

void wire_run_done(struct wire_run *r)
{
	freep(&r->log);
	r->log = NULL;
	list_done(&r->phases);
	list_done(&r->archives);
}

int64_t wire_run_began(const struct wire_run *r)
{
	return r->began ? r->began : r->started;
}

void wire_run_put(struct json_out *o, const char *key, const struct wire_run *r)
{
	json_obj(o, key);
	PUT(o, r, run_fields);
	json_put_str(o, "state", run_state_name(r->state));
	if (r->error_kind[0] || r->error[0]) {
		json_obj(o, "error");
		PUT(o, r, error_fields);
		json_end_obj(o);
	}
	if (r->log)
		json_put_str(o, "log", r->log);
	json_arr(o, "phases");
	for (size_t i = 0; i < r->phases.n; i++) {
		json_obj(o, NULL);
		PUT(o, &r->phases.v[i], phase_fields);
		json_end_obj(o);
	}
	json_end_arr(o);
	json_arr(o, "archives");
	for (size_t i = 0; i < r->archives.n; i++) {
		json_obj(o, NULL);
		PUT(o, &r->archives.v[i], archive_fields);
		json_end_obj(o);
	}
	json_end_arr(o);
	json_end_obj(o);
}

static void get_state_and_log(struct wire_run *ret, const struct json *j, const char *base, struct problems *p)
{
	const char *s;
	char path[128];

	if (json_want_str(j, base, "state", true, &s, p) && run_state_from(&ret->state, s)) {
		path_of(path, base, "state");
		problems_add(p, path, "\"%.40s\" is not one of running, ok, warning, failed, aborted, skipped, suspect",
			     s);
	}
	if (!json_want_str(j, base, "log", false, &s, p))
		return;
	path_of(path, base, "log");
	if (strlen(s) > WIRE_LOG)
		problems_add(p, path, "is %zu bytes long; at most %d are accepted", strlen(s), WIRE_LOG);
	else
		ret->log = xstrdup(s);
}

void wire_run_get(struct wire_run *ret, const struct json *j, const char *base, struct problems *p)
{
	const struct json *c;
	char path[128];
	size_t i;

	wire_run_init(ret);
	GET(ret, j, base, run_fields, p);
	get_state_and_log(ret, j, base, p);
	GET_GROUP(ret, j, base, "error", error_fields, p);
	for (c = list_first(j, base, "phases", p), i = 0; c; c = json_next(c), i++)
		if (element(path, c, base, "phases", i, p)) {
			struct wire_phase *ph = list_push(&ret->phases);

			ph->ms = -1;
			GET(ph, c, path, phase_fields, p);
		}
	for (c = list_first(j, base, "archives", p), i = 0; c; c = json_next(c), i++)
		if (element(path, c, base, "archives", i, p)) {
			struct wire_archive *a = list_push(&ret->archives);

			a->size = -1;
			GET(a, c, path, archive_fields, p);
		}
}

/* ---- pairing */

/* One word a byte: short, common, far enough apart to be read out on the phone.
 * Part of the protocol: never change an entry. */
static const char pair_words[256][5] = {
	"ACID", "ACRE", "ALOE", "APEX", "AQUA", "ARCH", "ARMY", "ATOM", "AUNT", "AXLE", "BAKE", "BALE", "BAND",
	"BARK", "BARN", "BASS", "BATH", "BEAD", "BEAK", "BEAM", "BEAN", "BELL", "BELT", "BIKE", "BIRD", "BLUE",
	"BOAT", "BOLT", "BOND", "BONE", "BOOK", "BOOT", "BOWL", "BRIM", "BUCK", "BULB", "BUSH", "CAFE", "CAGE",
	"CAKE", "CALF", "CAMP", "CAPE", "CARD", "CART", "CASE", "CAVE", "CHEF", "CHIN", "CHIP", "CITY", "CLAM",
	"CLAY", "CLUB", "COAL", "COAT", "CODE", "COIN", "COMB", "COOK", "CORK", "CORN", "CRAB", "CREW", "CROW",
	"CUBE", "CURL", "DATE", "DAWN", "DEER", "DESK", "DIAL", "DICE", "DISH", "DISK", "DOCK", "DOME", "DOOR",
	"DOVE", "DRUM", "DUCK", "DUNE", "DUSK", "EAST", "ECHO", "EDGE", "EXIT", "FARM", "FAWN", "FERN", "FILM",
	"FISH", "FLAG", "FLUX", "FOAM", "FOLK", "FONT", "FORK", "FORT", "FROG", "FUEL", "GATE", "GEAR", "GIFT",
	"GLUE", "GOAT", "GOLD", "GOLF", "GONG", "GRID", "GULF", "HALO", "HAND", "HARP", "HAWK", "HAZE", "HERB",
	"HERO", "HILL", "HINT", "HIVE", "HOOF", "HOOK", "HORN", "HUSK", "IBEX", "IDEA", "INCH", "IRIS", "IRON",
	"ISLE", "JADE", "JAZZ", "JOKE", "JUDO", "JUMP", "JURY", "KALE", "KELP", "KILN", "KING", "KITE", "KIWI",
	"KNOT", "LACE", "LAKE", "LAMB", "LAMP", "LARK", "LAVA", "LEAF", "LENS", "LIME", "LION", "LOFT", "LOOM",
	"LUTE", "LYNX", "MALT", "MASK", "MAZE", "MELT", "MENU", "MILK", "MINT", "MIST", "MOLE", "MOON", "MOSS",
	"MOTH", "MULE", "NAVY", "NEON", "NEST", "NOON", "NOVA", "OATS", "OBOE", "ONYX", "OPAL", "OVAL", "OVEN",
	"PALM", "PARK", "PATH", "PEAK", "PEAR", "PINE", "PLUM", "POEM", "POND", "PONY", "PUMA", "QUAY", "QUIZ",
	"RAFT", "RAIL", "RAKE", "REED", "REEF", "RICE", "RING", "ROCK", "ROOF", "ROPE", "RUBY", "SAGE", "SAIL",
	"SALT", "SAND", "SEAL", "SEED", "SILK", "SILO", "SNOW", "SOAP", "SODA", "SOFA", "SOUP", "STAR", "STEM",
	"SURF", "SWAN", "TAPE", "TAXI", "TENT", "TIDE", "TOAD", "TOFU", "TREE", "TUBA", "TUNA", "TURF", "TWIN",
	"UNIT", "URNS", "VASE", "VEST", "VINE", "VOLT", "WAGE", "WALL", "WASP", "WAVE", "WEST", "WICK", "WIND",
	"WING", "WOLF", "WOOL", "YARN", "YOGI", "ZEAL", "ZERO", "ZINC", "ZONE",
};

void pair_commitment(uint8_t out[static SHA256_LEN], const uint8_t nonce[static PAIR_NONCE],
		     const uint8_t pub[static 32])
{
	static const char tag[] = "felloe-join-1";
	uint8_t all[sizeof(tag) - 1 + PAIR_NONCE + 32];

	memcpy(all, tag, sizeof(tag) - 1);
	memcpy(all + sizeof(tag) - 1, nonce, PAIR_NONCE);
	memcpy(all + sizeof(tag) - 1 + PAIR_NONCE, pub, 32);
	sha256(out, all, sizeof(all));
}

/* check-size: the code is made of these six values */
void pair_code(char code[static PAIR_CODE], const uint8_t pub[static 32], const uint8_t nonce_n[static PAIR_NONCE],
	       const uint8_t master_nonce[static PAIR_NONCE], const char *request_id, const uint8_t spki[static 32])
{
	struct sha256 *h = sha256_new();
	uint8_t d[SHA256_LEN];
	uint32_t n;

	sha256_add(h, "felloe-code-1", 13);
	sha256_add(h, pub, 32);
	sha256_add(h, nonce_n, PAIR_NONCE);
	sha256_add(h, master_nonce, PAIR_NONCE);
	sha256_add(h, request_id, strlen(request_id));
	sha256_add(h, spki, 32);
	sha256_end(h, d);
	sha256_free(h);
	n = (uint32_t)d[1] << 24 | (uint32_t)d[2] << 16 | (uint32_t)d[3] << 8 | d[4];
	snprintf(code, PAIR_CODE, "%s-%04u", pair_words[d[0]], (unsigned)(n % 10000));
}
