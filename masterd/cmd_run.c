/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/cmd.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "masterd/httpd.h"
#include "masterd/jobs.h"
#include "masterd/master.h"
#include "masterd/selfsign.h"
#include "masterd/svc_follow.h"
#include "masterd/svc_history.h"
#include "masterd/svc_alerts.h"
#include "masterd/svc_lead.h"
#include "masterd/svc_request.h"
#include "masterd/svc_secret.h"
#include "masterd/svc_notify.h"
#include "masterd/svc_pack.h"
#include "shared/clock.h"
#include "shared/crypt.h"
#include "shared/daemon.h"
#include "shared/fs.h"
#include "shared/hash.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/opt.h"
#include "shared/str.h"

enum { TICK_MS = 200, DRAIN_MS = 5000, OTP_PER_MINUTE = 3 };
/* failed sign-ins to one account, in those of one address: one address alone locks nobody out */
enum { ACCOUNT_TIMES = 3 };

struct run_opts {
	const char *log_format;
	bool verbose;
};

/* The key that clients see: our certificate's, or the proxy's. */
static int find_spki(const struct config *c, uint8_t spki[static 32], struct err *e)
{
	if (c->tls_spki && spki_parse(spki, c->tls_spki))
		return err_set(e, ERR_CONFIG, "%s: tls_spki: \"%.80s\" is not sha256//BASE64", c->path, c->tls_spki);
	if (!c->tls_spki && c->tls_cert)
		return cert_spki(c->tls_cert, spki, e);
	return 0;
}

/* A file that is not there is one that was moved, or whose disk is not mounted: an empty
 * one in its place would know no node and nobody who could sign in. */
static int want_database(const struct config *c, struct err *e)
{
	const char *path = c->database + strlen("sqlite:");

	if (!str_starts(c->database, "sqlite:") || fs_exists(path))
		return 0;
	return err_set(e, ERR_CONFIG, "database %s does not exist: is its disk mounted? Put back a copy of it; for a new "
		       "and empty one: felloe-masterd user add NAME --role super_admin", path);
}

/* Start list, all but the server; stop is its mirror. */
static int start_parts(struct master *m, struct err *e)
{
	const struct config *c = m->config;

	if (find_spki(c, m->spki, e) || fs_mkdirs(c->state_dir, 0700, e) || want_database(c, e) ||
	    writer_new(&m->writer, c->database, (size_t)c->queue, e) || secret_take(c, e))
		return -1;
	m->pool = db_pool_new(c->database);
	m->hot = hot_new();
	m->packer = packer_new(m);
	m->shared = db_is_shared_url(c->database);
	if (follow_new(&m->follow, m, e) || auth_new(&m->auth, m->pool, c->jwt_secret, e) ||
	    live_new(&m->live, m->pool, c->heartbeat_default_s, e) || request_load(m, e) || history_load(m, e) || pwq_new(&m->pwq, e))
		return -1;
	m->feed = feed_new(m->instance, (size_t)c->event_streams, &(struct feed_at){follow_at(m->follow), live_version(m->live)});
	m->metrics = metrics_new();
	m->alerting = alerting_new();
	m->waits = waits_new();
	m->logins = buckets_new((unsigned)c->login_per_minute);
	m->accounts = buckets_new(ACCOUNT_TIMES * (unsigned)c->login_per_minute);
	m->otps = buckets_new(OTP_PER_MINUTE);
	m->lockouts = buckets_new(1);
	m->joins = buckets_new((unsigned)c->join_per_minute);
	db_pool_hurry(m->pool);
	return notifier_new(&m->notifier, m, e) || follow_start(m->follow, e) ? -1 : 0;
}

static void stop(struct master *m, struct httpd *h)
{
	if (h)
		httpd_quiesce(h);
	if (m->waits)
		waits_end(m->waits);
	if (m->feed)
		feed_end(m->feed);
	if (h && !httpd_drain(h, DRAIN_MS))
		log_warn("some requests did not end within %d s: their connections are closed", DRAIN_MS / 1000);
	follow_stop(m->follow);
	notifier_stop(m->notifier);
	/* nobody may sleep any more when the server stops, and its threads still call these */
	pwq_stop(m->pwq);
	writer_stop(m->writer);
	httpd_free(h);
	buckets_free(m->joins);
	buckets_free(m->lockouts);
	buckets_free(m->otps);
	buckets_free(m->accounts);
	buckets_free(m->logins);
	waits_free(m->waits);
	alerting_free(m->alerting);
	notifier_free(m->notifier);
	metrics_free(m->metrics);
	pwq_free(m->pwq);
	follow_free(m->follow);
	feed_free(m->feed);
	live_free(m->live);
	packer_free(m->packer);
	hot_free(m->hot);
	auth_free(m->auth);
	db_pool_free(m->pool);
	writer_free(m->writer);
}

/* A new public key is for the pairing codes from now on; the writer's thread makes them. */
struct new_spki {
	struct job job;
	struct master *m;
	uint8_t spki[32];
};

static int take_spki(struct job *j, struct db *db, struct err *e)
{
	struct new_spki *n = (struct new_spki *)j;

	(void)db;
	(void)e;
	memcpy(n->m->spki, n->spki, sizeof(n->spki));
	return 0;
}

static void drop_spki(struct job *j)
{
	free(j);
}

static int renew_tls(struct master *m, struct httpd *h, const struct config *c, struct err *e)
{
	struct new_spki *n;

	if (!c->tls_cert != !m->config->tls_cert)
		return err_set(e, ERR_CONFIG, "between TLS and plain HTTP only a restart changes");
	if (httpd_renew(h, c, e))
		return -1;
	n = xcalloc(1, sizeof(*n));
	n->m = m;
	n->job.run = take_spki;
	n->job.drop = drop_spki;
	if (find_spki(c, n->spki, e) || writer_put(m->writer, &n->job, e)) {
		free(n);
		return -1;
	}
	return 0;
}

/* SIGHUP: the file is judged anew; limits, certificate and rules of alerts count from now on. */
static void reload(struct master *m, struct httpd *h)
{
	CLEANUP(config_freep) struct config *c = NULL;
	struct err e;

	if (config_load(&c, m->config->path, &e)) {
		log_error("SIGHUP: the old configuration stays: %s", e.msg);
		return;
	}
	if (renew_tls(m, h, c, &e)) {
		log_error("SIGHUP: the old certificate and limits stay: %s", e.msg);
		return;
	}
	buckets_set(m->logins, (unsigned)c->login_per_minute);
	buckets_set(m->accounts, ACCOUNT_TIMES * (unsigned)c->login_per_minute);
	buckets_set(m->joins, (unsigned)c->join_per_minute);
	/* read on this thread alone, but for the pace of the channels */
	m->config->alerts = c->alerts;
	notifier_every(m->notifier, c->alerts.notice_every_s);
	log_info("SIGHUP: rules of alerts, limits%s taken from %s; what else changed needs a restart",
		 c->tls_cert ? " and certificate" : "", c->path);
}

static void serve(struct master *m, struct httpd *h)
{
	struct pollfd wake = {.fd = daemon_wake_fd(), .events = POLLIN};
	struct jobs *jobs = jobs_new();
	int64_t next_second = 0;

	while (!daemon_stopping()) {
		if (poll(&wake, 1, TICK_MS) > 0)
			daemon_drain_wake();
		if (daemon_take_hup())
			reload(m, h);
		waits_tick(m->waits, clock_mono_ms());
		jobs_tick(jobs, m);
		if (clock_mono_ms() >= next_second) {
			next_second = clock_mono_ms() + 1000;
			httpd_tick(h);
		}
	}
	jobs_free(jobs);
	lead_drop(m);
}

/* Each connection is a file: take what we may get. */
static void raise_files(void)
{
	struct rlimit l;

	if (!getrlimit(RLIMIT_NOFILE, &l) && l.rlim_cur < l.rlim_max) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
}

static int run(const char *path, struct err *e)
{
	CLEANUP(config_freep) struct config *c = NULL;
	struct httpd *h = NULL;
	struct master m = {0};
	int rc;

	if (config_load(&c, path, e) || (c->user && daemon_drop(c->user, e)) || crypt_init(e))
		return -1;
	raise_files();
	m.config = c;
	random_uuid(m.instance);
	rc = start_parts(&m, e) || httpd_new(&h, &m, e) ? -1 : 0;
	if (!rc) {
		log_info("listening on %s (%s)", c->listen, c->tls_cert ? "TLS" : "plain HTTP");
		daemon_notify("READY=1");
		serve(&m, h);
		daemon_notify("STOPPING=1");
	}
	stop(&m, h);
	return rc;
}

int cmd_run(int argc, char **argv)
{
	CLEANUP(cmd_done) struct cmd c = {.usage = "[run] [options]"};
	struct run_opts o = {0};
	const struct opt opts[] = {
		{.name = "log-format", .type = OPT_STR, .to = &o.log_format, .arg = "text|json", .help = "one line an event"},
		{.name = "verbose", .letter = 'v', .type = OPT_FLAG, .to = &o.verbose, .help = "log more"},
		CMD_OPTS(c),
		{0},
	};
	int rc = cmd_start(&c, opts, argc, argv, NULL);
	struct err e = {0};

	if (rc >= 0)
		return rc;
	if (o.log_format && !str_eq(o.log_format, "json") && !str_eq(o.log_format, "text")) {
		err_fill(&e, ERR_USAGE, 0, "--log-format is text or json, not \"%.40s\"", o.log_format);
		return cmd_failed(&e);
	}
	log_init("felloe-masterd", str_eq(o.log_format, "json"), o.verbose ? LOG_DEBUG : LOG_INFO);
	daemon_signals();
	return run(c.path, &e) ? cmd_failed(&e) : 0;
}
