/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h> /* not the "config.h" beside this file */

#include "masterd/api_metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "masterd/feed.h"
#include "masterd/master.h"
#include "masterd/metrics.h"
#include "masterd/route.h"
#include "masterd/tbl_alert.h"
#include "shared/clock.h"
#include "shared/fs.h"
#include "shared/mem.h"
#include "shared/str.h"

/* Labels name at most so many sites: the ones whose last good backup, or proof, is oldest. */
enum { SITES_MAX = 500, AGES = 5, PROOF_AGES = 3 };

static const struct {
	const char *label;
	int64_t ms;
} ages[AGES] = {
	{"1h", INT64_C(3600000)}, {"26h", INT64_C(26) * 3600000}, {"2d", INT64_C(2) * 86400000},
	{"7d", INT64_C(7) * 86400000}, {"30d", INT64_C(30) * 86400000},
}, proof_ages[PROOF_AGES] = {
	{"7d", INT64_C(7) * 86400000}, {"30d", INT64_C(30) * 86400000}, {"90d", INT64_C(90) * 86400000},
};

struct old_site {
	int64_t at, node_id;
	char node[WIRE_HOST], site[WIRE_NAME];
};
struct old_sites {
	struct old_site *v;     /* SITES_MAX */
	size_t n, newest;       /* of the kept ones the place of the newest */
	int64_t oldest;         /* ms; 0 none */
};

/* One look at all nodes. */
struct count {
	const struct scope *scope;
	int64_t now;
	uint64_t states[3], health[HEALTHS], liveness[3], last_runs[RUN_STATES];
	uint64_t sites, never, older[AGES], running;
	uint64_t unproven, proof_older[PROOF_AGES], damaged, damaged_runs;
	int64_t oldest_report;  /* ms; 0 none */
	struct old_sites backups, proofs;
};

/* Keep the oldest: a newer one gives its place. */
static void keep_old(struct old_sites *l, int64_t at, const struct live_node *n, const struct live_site *s)
{
	struct old_site *o;

	if (!l->oldest || at < l->oldest)
		l->oldest = at;
	if (l->n == SITES_MAX && at >= l->v[l->newest].at)
		return;
	o = &l->v[l->n < SITES_MAX ? l->n++ : l->newest];
	o->at = at;
	o->node_id = n->n.id;
	str_cut(o->node, sizeof(o->node), n->n.name);
	str_cut(o->site, sizeof(o->site), s->name);
	if (l->n < SITES_MAX)
		return;
	l->newest = 0;
	for (size_t i = 1; i < l->n; i++)
		if (l->v[i].at > l->v[l->newest].at)
			l->newest = i;
}

static void count_proof(struct count *c, const struct live_node *n, const struct live_site *s)
{
	if (!s->proven_at) {
		c->unproven++;
		return;
	}
	for (size_t i = 0; i < PROOF_AGES; i++)
		c->proof_older[i] += c->now - s->proven_at > proof_ages[i].ms;
	keep_old(&c->proofs, s->proven_at, n, s);
}

static void count_site(struct count *c, const struct live_node *n, const struct live_site *s)
{
	c->sites++;
	c->running += s->running_since != 0;
	if (s->began)
		c->last_runs[s->state]++;
	c->damaged += s->began && s->state == RUN_SUSPECT && str_eq(s->error_kind, "damaged");
	c->damaged_runs += s->damaged.n;
	count_proof(c, n, s);
	if (!s->good_at) {
		c->never++;
		return;
	}
	for (size_t i = 0; i < AGES; i++)
		c->older[i] += c->now - s->good_at > ages[i].ms;
	keep_old(&c->backups, s->good_at, n, s);
}

static void count_node(void *ctx, const struct live_node *n)
{
	struct count *c = ctx;

	if (!scope_sees_waiting(c->scope, n->n.tags, n->n.state == NODE_PENDING))
		return;
	if ((size_t)n->n.state < ARRAY_LEN(c->states))
		c->states[n->n.state]++;
	c->health[n->health]++;
	if (n->n.state != NODE_ACTIVE)
		return;
	if (n->seen) {
		c->liveness[n->liveness]++;
		if (!c->oldest_report || n->seen < c->oldest_report)
			c->oldest_report = n->seen;
	}
	for (size_t i = 0; i < n->sites.n; i++)
		count_site(c, n, &n->sites.v[i]);
}

static void one(struct buf *b, const char *name, const char *label, const char *value, double v)
{
	const char *const labels[] = {label, value, NULL};

	prom_value(b, name, label ? labels : NULL, v);
}

static void plain(struct buf *b, const char *name, const char *type, const char *help, double v)
{
	prom_family(b, name, type, help);
	prom_value(b, name, NULL, v);
}

static double age_s(int64_t now, int64_t then)
{
	return then && now > then ? (double)(now - then) / 1000 : 0;
}

static void put_nodes(struct buf *b, const struct count *c)
{
	static const enum node_state states[] = {NODE_PENDING, NODE_ACTIVE, NODE_BLOCKED};

	prom_family(b, "felloe_nodes", "gauge", "Machines by state.");
	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		one(b, "felloe_nodes", "state", node_state_name(states[i]), (double)c->states[states[i]]);
	prom_family(b, "felloe_nodes_health", "gauge", "Machines by health, as the master judges it.");
	for (size_t i = 0; i < HEALTHS; i++)
		one(b, "felloe_nodes_health", "health", health_name((enum health)i), (double)c->health[i]);
	prom_family(b, "felloe_nodes_liveness", "gauge", "Active machines by the age of their last report.");
	for (size_t i = 0; i < ARRAY_LEN(c->liveness); i++)
		one(b, "felloe_nodes_liveness", "liveness", liveness_name((enum liveness)i), (double)c->liveness[i]);
	plain(b, "felloe_report_age_seconds", "gauge", "Age of the last report of the active machine that is silent longest.",
	      age_s(c->now, c->oldest_report));
}

/* The age of each, or with now 0 its time. */
static void put_old(struct buf *b, const char *name, const struct old_sites *l, int64_t now)
{
	for (size_t i = 0; i < l->n; i++) {
		char id[24];
		const char *const labels[] = {"node_id", id, "node", l->v[i].node, "site", l->v[i].site, NULL};

		snprintf(id, sizeof(id), "%lld", (long long)l->v[i].node_id);
		prom_value(b, name, labels, now ? age_s(now, l->v[i].at) : (double)(l->v[i].at / 1000));
	}
}

static void put_proofs(struct buf *b, const struct count *c)
{
	plain(b, "felloe_sites_damaged", "gauge", "Sites whose newest run that ended was found damaged, or does not restore.",
	      (double)c->damaged);
	plain(b, "felloe_runs_damaged", "gauge", "Runs that are kept and were found damaged, or do not restore.", (double)c->damaged_runs);
	plain(b, "felloe_sites_without_proof", "gauge", "Sites with runs of which none was proven restorable.", (double)c->unproven);
	prom_family(b, "felloe_sites_proof_older", "gauge", "Sites whose last proof that a run restores is older than this.");
	for (size_t i = 0; i < PROOF_AGES; i++)
		one(b, "felloe_sites_proof_older", "than", proof_ages[i].label, (double)c->proof_older[i]);
	plain(b, "felloe_proof_age_worst_seconds", "gauge", "Age of the oldest last proof.", age_s(c->now, c->proofs.oldest));
	plain(b, "felloe_proof_shown_sites", "gauge", "How many sites, the oldest, felloe_proof_timestamp_seconds shows; "
	      "500 at most.", (double)c->proofs.n);
	prom_family(b, "felloe_proof_timestamp_seconds", "gauge", "When a run of the site was proven restorable last, since 1970.");
	put_old(b, "felloe_proof_timestamp_seconds", &c->proofs, 0);
}

static void put_sites(struct buf *b, const struct count *c)
{
	plain(b, "felloe_sites", "gauge", "Sites that had a run.", (double)c->sites);
	plain(b, "felloe_sites_running", "gauge", "Sites that are being backed up.", (double)c->running);
	plain(b, "felloe_sites_without_backup", "gauge", "Sites with runs of which none was good.", (double)c->never);
	prom_family(b, "felloe_sites_last_run", "gauge", "Sites by how their newest run that ended did so.");
	for (size_t i = 0; i < RUN_STATES; i++)
		one(b, "felloe_sites_last_run", "state", run_state_name((enum run_state)i), (double)c->last_runs[i]);
	prom_family(b, "felloe_sites_backup_older", "gauge", "Sites whose last good backup is older than this.");
	for (size_t i = 0; i < AGES; i++)
		one(b, "felloe_sites_backup_older", "than", ages[i].label, (double)c->older[i]);
	plain(b, "felloe_backup_age_worst_seconds", "gauge", "Age of the oldest last good backup.",
	      age_s(c->now, c->backups.oldest));
	plain(b, "felloe_backup_age_shown_sites", "gauge", "How many sites, the oldest, felloe_backup_age_seconds shows; "
	      "500 at most.", (double)c->backups.n);
	prom_family(b, "felloe_backup_age_seconds", "gauge", "Age of the last good backup of a site.");
	put_old(b, "felloe_backup_age_seconds", &c->backups, c->now);
}

static void put_fleet(struct req *r, struct buf *b)
{
	struct count c = {.scope = &r->who.scope, .now = r->now};

	c.backups.v = xcalloc(SITES_MAX, sizeof(*c.backups.v));
	c.proofs.v = xcalloc(SITES_MAX, sizeof(*c.proofs.v));
	live_each(r->m->live, count_node, &c);
	put_nodes(b, &c);
	put_sites(b, &c);
	put_proofs(b, &c);
	free(c.backups.v);
	free(c.proofs.v);
}

/* ---- alerts */

/* False: the database does not answer. */
static bool put_alerts(struct req *r, struct buf *b)
{
	uint64_t n[ALERT_KINDS] = {0};
	struct alerts open = {0};
	struct db *db = NULL;
	int rc = db_pool_take(r->m->pool, &db, NULL);

	if (!rc)
		rc = tbl_alert_open(db, &open, NULL);
	db_pool_give(r->m->pool, db);
	for (size_t i = 0; i < open.n; i++)
		n[open.v[i].kind] += scope_is_all(&r->who.scope) || live_sees(r->m->live, open.v[i].node_id, &r->who.scope);
	list_done(&open);
	if (rc)
		return false;
	prom_family(b, "felloe_alerts_open", "gauge", "Open alerts by kind.");
	for (size_t i = 0; i < ALERT_KINDS; i++)
		one(b, "felloe_alerts_open", "kind", alert_kind_name((enum alert_kind)i), (double)n[i]);
	return true;
}

/* ---- this master */

static void put_histogram(struct buf *b, const struct metrics *m, size_t row, const char *name)
{
	char bound[16];

	for (size_t i = 0; i < METRIC_BUCKETS; i++) {
		const char *const labels[] = {"route", name, "le", bound, NULL};

		snprintf(bound, sizeof(bound), i == METRIC_BUCKETS - 1 ? "+Inf" : "%g", metrics_bound(i));
		prom_value(b, "felloe_http_request_duration_seconds_bucket", labels, (double)metrics_within(m, row, i));
	}
	one(b, "felloe_http_request_duration_seconds_sum", "route", name, metrics_seconds(m, row));
	one(b, "felloe_http_request_duration_seconds_count", "route", name,
	    (double)metrics_within(m, row, METRIC_BUCKETS - 1));
}

/* The pattern of a route as a label; what fits none of them shares one. */
static void route_label(char *ret, size_t size, const struct route *t)
{
	snprintf(ret, size, "%s %s%s", t->method, t->root ? "" : "/api/v1", t->path);
}

static void put_requests(struct buf *b, const struct metrics *m)
{
	static const char *const classes[] = {"", "1xx", "2xx", "3xx", "4xx", "5xx"};
	const struct route *t;
	char name[160];
	size_t n;

	t = route_table(&n);
	for (int pass = 0; pass < 2; pass++) {
		if (pass)
			prom_family(b, "felloe_http_request_duration_seconds", "histogram",
				    "From the whole request to the answer; of a long poll with its wait.");
		else
			prom_family(b, "felloe_http_requests_total", "counter", "Answers by route and class of status.");
		for (size_t i = 0; i <= n; i++) {
			size_t row = i < n ? i : METRIC_ROUTES - 1;

			str_cut(name, sizeof(name), "none");
			if (i < n)
				route_label(name, sizeof(name), &t[i]);
			if (!metrics_within(m, row, METRIC_BUCKETS - 1))
				continue;
			if (pass)
				put_histogram(b, m, row, name);
			for (unsigned k = 1; k < ARRAY_LEN(classes) && !pass; k++) {
				const char *const labels[] = {"route", name, "status", classes[k], NULL};

				if (metrics_replies(m, row, k))
					prom_value(b, "felloe_http_requests_total", labels, (double)metrics_replies(m, row, k));
			}
		}
	}
}

static void put_master(struct req *r, struct buf *b)
{
	const char *const build[] = {"version", PACKAGE_VERSION, NULL};
	const struct metrics *m = r->m->metrics;
	struct writer_counts w;

	writer_counts(r->m->writer, &w);
	prom_family(b, "felloe_build_info", "gauge", "Always 1.");
	prom_value(b, "felloe_build_info", build, 1);
	plain(b, "felloe_leads", "gauge", "1 when this master does the background work of all.", atomic_load(&r->m->leads));
	plain(b, "felloe_samples_total", "counter", "Samples that nodes reported to this master.",
	      (double)metrics_samples_total(m));
	prom_family(b, "felloe_runs_total", "counter", "Ends of runs that nodes reported to this master.");
	for (unsigned i = 0; i < RUN_STATES; i++)
		if (i != RUN_RUNNING)
			one(b, "felloe_runs_total", "state", run_state_name((enum run_state)i), (double)metrics_runs_total(m, i));
	plain(b, "felloe_event_clients", "gauge", "Clients that listen to events.", (double)feed_listeners(r->m->feed));
	plain(b, "felloe_writer_queue", "gauge", "Changes that wait to be written.", (double)w.queued);
	plain(b, "felloe_writer_queue_limit", "gauge", "Above it requests are answered 503.", (double)w.max_queued);
	plain(b, "felloe_writer_transactions_total", "counter", "Transactions that were tried.", (double)w.transactions);
	plain(b, "felloe_writer_changes_total", "counter", "Changes in them.", (double)w.changes);
	plain(b, "felloe_db_errors_total", "counter", "Transactions and changes that the database refused.", (double)w.errors);
}

/* ---- the process, by the names that client libraries use */

static double count_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	double n = -3; /* ".", ".." and this one */

	if (!d)
		return 0;
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* The n-th field (from 1) of a line of numbers. */
static double field(const char *line, unsigned n)
{
	while (line && --n) {
		line = strchr(line, ' ');
		line = line ? line + 1 : NULL;
	}
	return line ? strtod(line, NULL) : 0;
}

static void read_proc(struct buf *b, const char *path)
{
	buf_init(b, 1 << 20);
	if (fs_read(b, path, NULL))
		buf_reset(b);
	buf_addc(b, '\0');
}

static void put_process(struct buf *b, double started)
{
	CLEANUP(buf_done) struct buf statm;
	double page = (double)sysconf(_SC_PAGESIZE);
	struct rlimit files = {0};
	struct rusage u = {0};

	read_proc(&statm, "/proc/self/statm");
	getrusage(RUSAGE_SELF, &u);
	getrlimit(RLIMIT_NOFILE, &files);
	plain(b, "process_cpu_seconds_total", "counter", "Time on the processors.",
	      (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6);
	plain(b, "process_resident_memory_bytes", "gauge", "Memory that is in use.", field(statm.p, 2) * page);
	plain(b, "process_virtual_memory_bytes", "gauge", "Memory that is set aside.", field(statm.p, 1) * page);
	plain(b, "process_open_fds", "gauge", "Open files.", count_files());
	plain(b, "process_max_fds", "gauge", "How many may be open.", (double)files.rlim_cur);
	plain(b, "process_start_time_seconds", "gauge", "When it started, since 1970.", started);
}

enum verdict api_metrics(struct req *r)
{
	struct buf *b;

	reply_json(r, 200);
	r->content_type = "text/plain; version=0.0.4; charset=utf-8";
	b = &r->out;
	put_fleet(r, b);
	plain(b, "felloe_database_up", "gauge", "1 when the database answers.", put_alerts(r, b));
	put_master(r, b);
	put_requests(b, r->m->metrics);
	put_process(b, (double)metrics_started(r->m->metrics) / 1000);
	return REPLY;
}
