/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TESTS_FLEET_H
#define FELLOE_TESTS_FLEET_H

#include <math.h>
#include <string.h>

#include "shared/buf.h"
#include "shared/clock.h"
#include "shared/json.h"
#include "tui/alert.h"
#include "tui/model.h"

/* A fleet as a master lists it, at a fixed moment: for screens. */

/* 2026-11-23 14:03:22 CET */
#define FLEET_NOW 1795439002000LL
enum { MINUTE = 60000, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

struct fleet_node {
	const char *name, *state, *health;
	double cpu, disk;
	const char *trend;     /* a digit a minute: tens of percent; '.' gap */
	const char *last;      /* state of the last run; NULL never */
	int64_t last_ago, next_in;
};

static inline void fleet_trend(struct json_out *o, const char *trend)
{
	json_arr(o, "cpu_trend");
	for (int i = 0; i < 24; i++) {
		char c = trend[i * (int)strlen(trend) / 24];

		if (c == '.')
			json_put_null(o, NULL);
		else
			json_put_int(o, NULL, (c - '0') * 12 + 2);
	}
	json_end_arr(o);
}

static inline void fleet_put(struct json_out *o, int id, const struct fleet_node *n)
{
	json_obj(o, NULL);
	json_put_int(o, "id", id);
	json_put_str(o, "name", n->name);
	json_put_str(o, "hostname", n->name);
	json_put_str(o, "state", n->state);
	json_put_str(o, "health", n->health);
	json_arr(o, "reasons");
	if (strcmp(n->health, "failed") == 0)
		json_put_str(o, NULL, "backup of shop failed 4 times: 403 AccessDenied");
	json_end_arr(o);
	json_put_time(o, "last_seen", FLEET_NOW - 2000);
	json_put_str(o, "peer_address", "10.0.7.21");
	json_put_time(o, "created", FLEET_NOW - 30 * (int64_t)DAY - id);
	if (!isnan(n->cpu)) {
		json_obj(o, "sample");
		json_put_time(o, "ts", FLEET_NOW - 2000);
		json_put_num(o, "cpu_usage", n->cpu);
		json_put_num(o, "disk_usage", n->disk);
		json_put_int(o, "active_backups", 0);
		json_obj(o, "memory");
		json_put_int(o, "total", 8000000000);
		json_put_int(o, "used", 3000000000 + (int64_t)n->cpu * 40000000);
		json_end_obj(o);
		json_end_obj(o);
		fleet_trend(o, n->trend);
	}
	json_arr(o, "runs");
	if (strcmp(n->health, "running") == 0) {
		json_obj(o, NULL);
		json_put_str(o, "uuid", "0b8f2c1e-1111-4222-8333-444455556666");
		json_put_str(o, "site", "shop");
		json_put_int(o, "bytes_done", 51861730099);
		json_put_int(o, "bytes_total", 83647661260);
		json_put_num(o, "rate_avg", 74448896);
		json_end_obj(o);
	}
	json_end_arr(o);
	if (n->last) {
		json_obj(o, "last_run");
		json_put_str(o, "state", n->last);
		json_put_time(o, "finished", FLEET_NOW - n->last_ago);
		json_put_int(o, "bytes_stored", 41000000000 / id);
		json_end_obj(o);
	}
	json_put_time(o, "next_run", n->next_in ? FLEET_NOW + n->next_in : 0);
	json_put_str(o, "agent_version", "0.1.0");
	json_end_obj(o);
}

static const struct fleet_node fleet[] = {
	{"db-01.fra", "active", "failed", 71, 91, "34565678", "failed", 3 * HOUR + 10 * MINUTE, 20 * MINUTE},
	{"shop-03.ams", "active", "warn", 12, 88, "00100100", "ok", 11 * HOUR, 13 * HOUR},
	{"legacy-7", "active", "offline", 4, 55, "0000....", "ok", 2 * DAY, -DAY},
	{"web-02.fra", "active", "running", 48, 40, "12444544", "ok", DAY, 12 * HOUR},
	{"web-01.fra", "active", "ok", 9, 41, "00010000", "ok", 11 * HOUR, 13 * HOUR},
	{"web-03.fra", "active", "ok", 14, 39, "01010101", "ok", 11 * HOUR, 13 * HOUR},
	{"mail.example.net", "active", "ok", 3, 62, "00000000", "ok", 9 * HOUR, 15 * HOUR},
	{"wp-01.ams", "active", "ok", 22, 70, "11211211", "ok", 11 * HOUR, 13 * HOUR},
	{"wp-02.ams", "active", "ok", 19, 66, "11112111", "warning", 11 * HOUR, 13 * HOUR},
	{"wp-03.ams", "active", "ok", 25, 52, "12112211", "ok", 11 * HOUR, 13 * HOUR},
	{"intranet", "active", "ok", 1, 18, "00000000", "ok", 10 * HOUR, 14 * HOUR},
	{"build-01", "active", "paused", 33, 45, "22221122", "ok", 5 * DAY, 0},
	{"東京-サーバー-web-01", "active", "ok", 5, 30, "00000000", "ok", 11 * HOUR, 13 * HOUR},
};

static inline void fleet_pending(struct json_out *o, int id, const char *name, int64_t ago)
{
	json_obj(o, NULL);
	json_put_int(o, "id", id);
	json_put_str(o, "name", name);
	json_put_str(o, "hostname", name);
	json_put_str(o, "state", "pending");
	json_put_str(o, "health", "waiting");
	json_put_str(o, "peer_address", id == 20 ? "10.0.7.21" : "203.0.113.9");
	json_put_time(o, "created", FLEET_NOW - ago);
	json_put_str(o, "code", id == 20 ? "KELP-4821" : "MOSS-7730");
	json_put_bool(o, "code_protected", id == 20);
	json_put_bool(o, "name_in_use", id != 20);
	json_put_str(o, "key_fingerprint", "SHA256:x0aVbq3PpJ6sH1bX0lq1o4cZrQk9N2d7T8uYvWm5EfA");
	json_put_str(o, "agent_version", "0.1.0");
	json_put_str(o, "os", "Debian 12");
	json_put_int(o, "cores", 4);
	json_put_int(o, "memory_bytes", 8375186227);
	json_put_str(o, "asked_by", "root");
	json_put_raw(o, "sites", "[\"stage.example.net\",\"demo.example.net\"]");
	json_put_raw(o, "timers", "[\"nightly-files\",\"db-hourly\"]");
	json_put_raw(o, "storages", "[\"s3-ams\"]");
	json_end_obj(o);
}

/* The list as the network thread hands it over. with: false gives an empty one. */
static inline struct nodes *fleet_nodes(bool with)
{
	struct json *j = NULL;
	struct json_out o;
	struct buf b;
	struct err e;
	struct page *page = NULL;
	struct nodes *n;

	buf_init(&b, 1 << 22);
	json_out_init(&o, &b);
	json_arr(&o, NULL);
	for (size_t i = 0; with && i < ARRAY_LEN(fleet); i++)
		fleet_put(&o, (int)i + 1, &fleet[i]);
	if (with) {
		fleet_pending(&o, 20, "stage-01", 4 * MINUTE + 10000);
		fleet_pending(&o, 21, "web-01.fra", 37 * MINUTE);
	}
	json_end_arr(&o);
	if (json_parse(&j, b.p, b.len, &e) || page_from(&page, j, &e))
		fail_msg("%s", e.msg);
	n = nodes_from(&page, 1, FLEET_NOW);
	page_unref(page);
	json_free(j);
	buf_done(&b);
	return n;
}

/* web-02.fra in full, while it backs up. */
static const char fleet_detail_json[] =
	"{\"id\":4,\"name\":\"web-02.fra\",\"hostname\":\"web-02\",\"state\":\"active\",\"health\":\"running\",\"reasons\":[],"
	"\"os\":\"Debian 12\",\"cores\":4,\"agent_version\":\"0.1.0\",\"sites\":[{\"name\":\"shop\",\"last_good\":"
	"\"2026-11-22T13:00:00Z\"}],\"runs\":[{\"uuid\":\"0b8f2c1e-1111-4222-8333-444455556666\",\"site\":\"shop\","
	"\"bytes_done\":51861730099,\"bytes_total\":83647661260,\"rate_avg\":74448896}],\"last_run\":{\"state\":\"ok\","
	"\"finished\":\"2026-11-22T13:00:00Z\"},\"timers\":["
	"{\"name\":\"nightly\",\"on_calendar\":\"*-*-* 03:10:00\",\"enabled\":true,\"active\":true,\"next\":"
	"\"2026-11-24T02:10:00Z\",\"last\":\"2026-11-23T02:10:04Z\",\"result\":\"success\",\"exit_status\":0,\"took_ms\":252000,"
	"\"spread_s\":300,\"persistent\":true},"
	"{\"name\":\"db-hourly\",\"on_calendar\":\"hourly\",\"enabled\":true,\"active\":true,\"next\":\"2026-11-23T14:00:00Z\","
	"\"last\":\"2026-11-23T13:00:00Z\",\"result\":\"exit-code\",\"exit_status\":1,\"took_ms\":4000},"
	"{\"name\":\"weekly\",\"on_calendar\":\"Sun 04:00\",\"enabled\":false,\"active\":false}],"
	"\"sample\":{\"ts\":\"2026-11-23T13:03:20Z\",\"cpu_usage\":48,\"disk_usage\":88,\"active_backups\":1,\"uptime_s\":3542400,"
	"\"cores\":4,\"memory\":{\"total\":8375186227,\"used\":5476083302},\"swap\":{\"total\":2147483648,\"used\":107374182},"
	"\"load\":[1.9,1.4,1.1],\"io\":{\"read\":13002342,\"write\":1153434},\"disks\":["
	"{\"mount\":\"/\",\"total\":42949672960,\"used\":17287243366,\"percent\":40},"
	"{\"mount\":\"/var/www\",\"total\":214748364800,\"used\":152471339008,\"percent\":71},"
	"{\"mount\":\"/srv/mail\",\"total\":10737418240,\"used\":9448928051,\"percent\":88}],"
	"\"runs\":[{\"uuid\":\"0b8f2c1e-1111-4222-8333-444455556666\",\"site\":\"shop\",\"timer\":\"nightly\",\"what\":"
	"\"db+files\",\"phase\":\"files\",\"item\":\"wp-content/uploads/2026/11\",\"storage\":\"s3-fra\",\"started\":"
	"\"2026-11-23T12:51:40Z\",\"bytes_done\":51861730099,\"bytes_total\":83647661260,\"rate\":165675008,\"rate_avg\":74448896,"
	"\"files\":41022,\"skipped\":2}]}}";

static inline struct detail *fleet_detail(void)
{
	struct json *j = NULL;
	struct detail *d = NULL;
	struct err e;

	if (json_parse(&j, fleet_detail_json, sizeof(fleet_detail_json) - 1, &e) || detail_from(&d, j, FLEET_NOW, &e))
		fail_msg("%s", e.msg);
	json_free(j);
	return d;
}

static inline struct runs *fleet_runs(void)
{
	struct runs *r = xcalloc(1, sizeof(*r));

	r->of = 4;
	r->n = 14;
	r->v = xcalloc(r->n, sizeof(*r->v));
	for (size_t i = 0; i < r->n; i++) {
		wire_run_init(&r->v[i]);
		snprintf(r->v[i].uuid, sizeof(r->v[i].uuid), "0b8f2c1e-1111-4222-8333-4444555566%02d", (int)(i % 100));
		str_cut(r->v[i].site, sizeof(r->v[i].site), "shop");
		str_cut(r->v[i].timer, sizeof(r->v[i].timer), "nightly");
		str_cut(r->v[i].what, sizeof(r->v[i].what), "db+files");
		r->v[i].state = i == 0 ? RUN_RUNNING : i == 3 ? RUN_WARNING : i == 9 ? RUN_FAILED : RUN_OK;
		r->v[i].started = FLEET_NOW - (int64_t)i * DAY - 12 * MINUTE;
		r->v[i].finished = i == 0 ? 0 : r->v[i].started + 252000;
		r->v[i].bytes_in = 83647661260;
		r->v[i].bytes_stored = i == 0 || i == 9 ? -1 : 41000000000;
		r->v[i].files = 41022;
		r->v[i].proven = i == 1 ? FLEET_NOW - 20 * MINUTE : 0;
		r->v[i].held = i == 1 || i == 3;
		r->v[i].pruned = i == 11 ? FLEET_NOW - DAY : 0; /* its archives are gone */
		if (i == 1)
			str_cut(((struct wire_archive *)list_push(&r->v[i].archives))->storage, WIRE_NAME, "s3-fra");
		if (i == 5) {
			r->v[i].state = RUN_SUSPECT;
			str_cut(r->v[i].error, sizeof(r->v[i].error), "table wp_posts has 12 rows, it had 4100");
		}
		if (i == 9)
			str_cut(r->v[i].error, sizeof(r->v[i].error), "upload to s3-fra failed: 403 AccessDenied");
	}
	return r;
}

/* The CPU of 24 minutes as the master answers: a gap, a hill, a backup. */
static inline struct json *fleet_series(void)
{
	struct json *j = NULL;
	struct json_out o;
	struct buf b;
	struct err e;

	buf_init(&b, 1 << 20);
	json_out_init(&o, &b);
	json_obj(&o, NULL);
	json_arr(&o, "items");
	for (int i = 10; i < 96; i++) {
		double x = i / 96.0;

		json_obj(&o, NULL);
		json_put_time(&o, "ts", FLEET_NOW - (96 - i) * 15000);
		json_put_num(&o, "cpu_usage", 10 + 20 * exp(-80 * (x - .3) * (x - .3)) + 70 * exp(-60 * (x - .8) * (x - .8)));
		json_end_obj(&o);
	}
	json_end_arr(&o);
	json_end_obj(&o);
	if (json_parse(&j, b.p, b.len, &e))
		fail_msg("%s", e.msg);
	buf_done(&b);
	return j;
}

/* The open alerts; more: two newer ones came. */
static inline struct alerts *fleet_alerts(bool more)
{
	static const struct {
		int id, node_id;
		const char *node, *kind, *ref, *severity, *state, *cause, *next;
		int64_t ago;
		int count;
	} v[] = {
		{3, 1, "db-01.fra", "failed_run", "shop", "critical", "open",
		 "the backup of shop failed 4 times in a row: upload to s3-fra: 403 AccessDenied",
		 "give the key of s3-fra the right s3:PutObject, then run the backup once by hand", 3 * HOUR + 40 * MINUTE, 4},
		{5, 3, "legacy-7", "node_silent", "", "warning", "open", "nothing was heard of it for 1 d 11 h",
		 "look whether the machine runs and reaches this master", DAY, 1},
		{2, 2, "shop-03.ams", "disk_full", "/srv/mail", "warning", "acked", "the disk /srv/mail is 88 % full",
		 "make room, or raise the limit", 2 * DAY, 1},
		{9, 7, "mail.example.net", "missed_run", "nightly", "critical", "open", "the timer nightly did not fire at 03:10",
		 "look at its timers on the node: felloe-noded timers", MINUTE, 1},
		{10, 8, "wp-01.ams", "clock_off", "", "warning", "open", "its clock is 9 min ahead", "set it by NTP", MINUTE, 1},
	};
	struct alerts *a = NULL;
	struct json *j = NULL;
	struct json_out o;
	struct buf b;
	struct err e;

	buf_init(&b, 1 << 20);
	json_out_init(&o, &b);
	json_arr(&o, NULL);
	for (size_t i = 0; i < (more ? 5 : 3); i++) {
		json_obj(&o, NULL);
		json_put_int(&o, "id", v[i].id);
		json_put_int(&o, "node_id", v[i].node_id);
		json_put_str(&o, "node", v[i].node);
		json_put_str(&o, "kind", v[i].kind);
		json_put_str(&o, "ref", v[i].ref);
		json_put_str(&o, "severity", v[i].severity);
		json_put_str(&o, "state", v[i].state);
		json_put_str(&o, "cause", v[i].cause);
		json_put_str(&o, "next_step", v[i].next);
		json_put_str(&o, "acked_by", strcmp(v[i].state, "acked") == 0 ? "mia" : NULL);
		json_put_time(&o, "first", FLEET_NOW - v[i].ago);
		json_put_time(&o, "last", FLEET_NOW - 11000);
		json_put_int(&o, "count", v[i].count);
		json_end_obj(&o);
	}
	json_end_arr(&o);
	if (json_parse(&j, b.p, b.len, &e) || alerts_from(&a, j, FLEET_NOW, &e))
		fail_msg("%s", e.msg);
	json_free(j);
	buf_done(&b);
	return a;
}

#endif
