/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/live_put.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/clock.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"

static void put_reasons(struct json_out *o, const struct live_node *n)
{
	json_arr(o, "reasons");
	for (unsigned i = 0; i < n->n_reasons; i++)
		json_put_strn(o, NULL, n->reasons[i], strlen(n->reasons[i]));
	json_end_arr(o);
}

static void put_trend(struct json_out *o, const struct live_node *n)
{
	json_arr(o, "cpu_trend");
	for (int64_t m = n->trend_minute - LIVE_TREND + 1; m <= n->trend_minute; m++) {
		uint8_t v = n->trend[(m % LIVE_TREND + LIVE_TREND) % LIVE_TREND];

		if (v == LIVE_NO_TREND)
			json_put_null(o, NULL);
		else
			json_put_int(o, NULL, v);
	}
	json_end_arr(o);
}

static void put_short_sample(struct json_out *o, const struct wire_sample *s)
{
	json_obj(o, "sample");
	json_put_time(o, "ts", s->ts);
	json_put_num(o, "cpu_usage", s->cpu);
	json_put_num(o, "disk_usage", s->disk);
	json_put_int(o, "active_backups", s->active_backups);
	if (s->mem_total >= 0 && s->mem_used >= 0) {
		json_obj(o, "memory");
		json_put_int(o, "total", s->mem_total);
		json_put_int(o, "used", s->mem_used);
		json_end_obj(o);
	}
	json_end_obj(o);
}

/* In whole minutes, so that an answer does not change each second. */
static int64_t age_s(int64_t since, int64_t now)
{
	return now > since ? (now - since) / 60000 * 60 : 0;
}

static void put_age(struct json_out *o, const struct live_node *n)
{
	int64_t now = clock_ms(), age;
	unsigned never;

	age = health_good_age(n, now, &never);
	if (age < 0)
		json_put_null(o, "last_good_age_s");
	else
		json_put_int(o, "last_good_age_s", age / 60000 * 60);
	json_put_int(o, "sites_never_good", never);
}

static void put_missing(struct json_out *o, const struct live_node *n)
{
	json_arr(o, "missing_runs");
	for (size_t i = 0; i < n->told.n; i++) {
		const struct live_told *t = &n->told.v[i];

		if (t->kind != ALERT_MISSED_RUN)
			continue;
		json_obj(o, NULL);
		json_put_str(o, "timer", t->ref);
		json_put_time(o, "due", t->due);
		json_put_int(o, "count", t->times);
		json_end_obj(o);
	}
	json_end_arr(o);
}

void live_put_numbers(struct json_out *o, const struct live_node *n)
{
	uint8_t minute = n->trend[(n->trend_minute % LIVE_TREND + LIVE_TREND) % LIVE_TREND];

	json_obj(o, NULL);
	json_put_int(o, "id", n->n.id);
	json_put_time(o, "last_seen", n->seen);
	put_short_sample(o, &n->last);
	if (minute == LIVE_NO_TREND)
		json_put_null(o, "cpu_minute");
	else
		json_put_int(o, "cpu_minute", minute);
	json_end_obj(o);
}

void live_put_newest(struct json_out *o, const struct live_node *n)
{
	json_obj(o, NULL);
	json_put_int(o, "node_id", n->n.id);
	json_put_time(o, "last_seen", n->seen);
	wire_sample_put(o, "sample", &n->last);
	json_end_obj(o);
}

/* The newest run that ended on any site, the newest good one, and the next firing. */
static void put_backup(struct json_out *o, const struct live_node *n)
{
	const struct live_site *last = NULL;
	int64_t good = 0, next = 0;

	for (size_t i = 0; i < n->sites.n; i++) {
		const struct live_site *s = &n->sites.v[i];

		if (s->began && (!last || s->ended > last->ended))
			last = s;
		if (s->good_at > good)
			good = s->good_at;
	}
	for (size_t i = 0; i < n->last.timers.n; i++) {
		int64_t at = n->last.timers.v[i].next;

		if (at && (!next || at < next))
			next = at;
	}
	if (last) {
		json_obj(o, "last_run");
		json_put_str(o, "uuid", last->uuid);
		json_put_str(o, "site", last->name);
		json_put_str(o, "state", run_state_name(last->state));
		json_put_time(o, "started", last->began);
		json_put_time(o, "finished", last->ended);
		if (last->size >= 0)
			json_put_int(o, "bytes_stored", last->size);
		if (last->error[0])
			json_put_strn(o, "error", last->error, strlen(last->error));
		json_end_obj(o);
	} else {
		json_put_null(o, "last_run");
	}
	json_put_time(o, "last_good", good);
	put_age(o, n);
	json_put_time(o, "next_run", next);
	put_missing(o, n);
}

static void put_runs(struct json_out *o, const struct live_node *n)
{
	json_arr(o, "runs");
	for (size_t i = 0; i < n->last.runs.n; i++)
		wire_progress_put(o, NULL, &n->last.runs.v[i]);
	json_end_arr(o);
}

static void put_key(struct json_out *o, const struct join *j)
{
	CLEANUP(freep) char *base64 = NULL;
	char text[80];
	uint8_t hash[SHA256_LEN];

	if (!j->has_public_key)
		return;
	sha256(hash, j->public_key, sizeof(j->public_key));
	base64 = base64_encode(hash, sizeof(hash));
	base64[43] = '\0'; /* without the padding, as ssh-keygen(1) shows keys */
	snprintf(text, sizeof(text), "SHA256:%s", base64);
	json_put_str(o, "key_fingerprint", text);
}

/* What Approvals compares and shows. */
static void put_join(struct json_out *o, const struct live_node *n)
{
	json_put_str(o, "code", n->join.code[0] ? n->join.code : NULL);
	json_put_bool(o, "code_protected", n->join.has_public_key);
	json_put_bool(o, "name_in_use", n->join.name_in_use);
	put_key(o, &n->join);
}

static void put_facts(struct json_out *o, const struct live_node *n, bool sites_too)
{
	static const char *const keys[] = {"system_info", "os", "cores", "memory_bytes",
					   "timers", "storages", "checks", "clock", "asked_by", "sites"};

	for (size_t i = 0; i < ARRAY_LEN(keys) - !sites_too; i++) {
		const struct json *v = json_get(n->facts, keys[i]);

		if (v && !(str_eq(keys[i], "timers") && n->has_sample))
			json_put(o, keys[i], v);
	}
}

/* What reports now; before the first report what asked to join. */
static void put_agent(struct json_out *o, const struct live_node *n)
{
	const char *reports = n->has_sample ? n->last.agent_version : "";
	const char *version = str_or(reports, json_get_str(n->facts, "agent_version", NULL));

	if (version)
		json_put_strn(o, "agent_version", version, strlen(version));
}

static void put_identity(struct json_out *o, const struct live_node *n)
{
	json_put_int(o, "id", n->n.id);
	json_put_str(o, "name", n->n.name);
	json_put_str(o, "hostname", n->n.hostname);
	json_put_str(o, "state", node_state_name(n->n.state));
	json_put_str(o, "health", health_name(n->health));
	put_reasons(o, n);
	json_put_str(o, "liveness", n->n.state == NODE_ACTIVE && n->seen ? liveness_name(n->liveness) : NULL);
	json_put_time(o, "last_seen", n->seen);
	json_put_str(o, "peer_address", n->join.peer_address[0] ? n->join.peer_address : NULL);
	json_put_str(o, "ip_address", n->join.ip_address[0] ? n->join.ip_address : NULL);
	json_put_time(o, "created", n->n.created);
	json_put_raw(o, "tags", n->n.tags ? n->n.tags : "[]");
	if (n->n.note && *n->n.note)
		json_put_str(o, "note", n->n.note);
	if (n->n.next)
		json_put_bool(o, "new_key_waits", true);
	put_agent(o, n);
	if (n->n.state == NODE_BLOCKED) {
		json_put_time(o, "blocked", n->n.blocked);
		json_put_str(o, "blocked_by", n->n.blocked_by);
		json_put_str(o, "reason", n->n.reason);
	}
}

void live_put_item(struct json_out *o, const struct live_node *n)
{
	json_obj(o, NULL);
	put_identity(o, n);
	if (n->n.state == NODE_PENDING) {
		put_join(o, n);
		put_facts(o, n, true);
	} else {
		if (n->has_sample) {
			put_short_sample(o, &n->last);
			put_trend(o, n);
		}
		put_runs(o, n);
		put_backup(o, n);
	}
	if (n->n.state == NODE_BLOCKED) { /* who lifts the block wants to know which machine it is */
		put_key(o, &n->join);
		put_facts(o, n, true);
	}
	json_end_obj(o);
}

static void put_site(struct json_out *o, const char *name, const struct live_site *s)
{
	json_obj(o, NULL);
	json_put_str(o, "name", name);
	json_put_time(o, "last_good", s ? s->good_at : 0);
	if (s && s->good_at)
		json_put_int(o, "last_good_age_s", age_s(s->good_at, clock_ms()));
	else
		json_put_null(o, "last_good_age_s");
	if (s && s->good_at && s->good_size >= 0)
		json_put_int(o, "last_good_bytes", s->good_size);
	json_put_time(o, "proven", s ? s->proven_at : 0);
	json_put_int(o, "damaged", s ? (int64_t)s->damaged.n : 0);
	if (s && s->began) {
		json_put_str(o, "last_state", run_state_name(s->state));
		json_put_time(o, "last_finished", s->ended);
		json_put_str(o, "last_uuid", s->uuid);
		if (s->error[0])
			json_put_strn(o, "last_error", s->error, strlen(s->error));
	}
	if (s && s->running_since)
		json_put_time(o, "running_since", s->running_since);
	json_end_obj(o);
}

/* Those that had a run, then those that the node only named when it joined. */
static void put_sites(struct json_out *o, const struct live_node *n)
{
	json_arr(o, "sites");
	for (size_t i = 0; i < n->sites.n; i++)
		put_site(o, n->sites.v[i].name, &n->sites.v[i]);
	for (const struct json *c = json_first(json_get(n->facts, "sites")); c; c = json_next(c)) {
		const char *name = json_str(c) ? json_str(c) : json_get_str(c, "name", NULL);
		bool known = !name;

		for (size_t i = 0; i < n->sites.n && !known; i++)
			known = str_eq(n->sites.v[i].name, name);
		if (!known)
			put_site(o, name, NULL);
	}
	json_end_arr(o);
}

void live_put_whole(struct json_out *o, const struct live_node *n)
{
	json_obj(o, NULL);
	put_identity(o, n);
	json_put_time(o, "approved", n->n.approved);
	json_put_str(o, "approved_by", n->n.approved_by[0] ? n->n.approved_by : NULL);
	put_join(o, n);
	put_facts(o, n, false);
	put_sites(o, n);
	if (n->has_sample) {
		json_arr(o, "timers");
		for (size_t i = 0; i < n->last.timers.n; i++)
			wire_timer_put(o, NULL, &n->last.timers.v[i]);
		json_end_arr(o);
		wire_sample_put(o, "sample", &n->last);
		put_trend(o, n);
	}
	put_runs(o, n);
	put_backup(o, n);
	json_put_bool(o, "clock_skew", n->skewed);
	json_end_obj(o);
}

void live_put_timer(struct json_out *o, const struct live_node *n, const struct wire_timer *t)
{
	json_obj(o, NULL);
	json_put_int(o, "node_id", n->n.id);
	json_put_str(o, "node", n->n.name);
	json_put_str(o, "health", health_name(n->health));
	json_put_str(o, "liveness", liveness_name(n->liveness));
	json_put_time(o, "reported", n->seen);
	wire_timer_put(o, "timer", t);
	json_end_obj(o);
}

void live_put_storage(struct json_out *o, const struct live_node *n, const struct wire_storage *s)
{
	json_obj(o, NULL);
	json_put_int(o, "node_id", n->n.id);
	json_put_str(o, "node", n->n.name);
	json_put_str(o, "liveness", liveness_name(n->liveness));
	json_put_time(o, "reported", n->seen);
	wire_storage_put(o, "storage", s);
	json_end_obj(o);
}
