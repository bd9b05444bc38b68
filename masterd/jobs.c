/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/jobs.h"

#include <stdlib.h>

#include "masterd/svc_alerts.h"
#include "masterd/svc_enrol.h"
#include "masterd/svc_feed.h"
#include "masterd/svc_follow.h"
#include "masterd/svc_history.h"
#include "masterd/svc_lead.h"
#include "masterd/svc_node.h"
#include "masterd/svc_request.h"
#include "masterd/svc_once.h"
#include "masterd/svc_pack.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"

static void judge_nodes(struct master *m, int64_t now)
{
	live_tick(m->live, now);
}

static void poll_users(struct master *m, int64_t now)
{
	struct err e;

	(void)now;
	/* a database that is away is said once, by the writer */
	if (auth_poll(m->auth, &e) && e.kind != ERR_BUSY)
		log_error("users: %s", e.msg);
}

static const struct {
	const char *name;
	int64_t every_ms;
	bool alone;              /* one master of all on a database: who leads (svc_lead.h) */
	void (*run)(struct master *m, int64_t now);
} table[] = {
	{"lead", LEAD_MS / 5, false, lead_renew},
	{"nodes", 1000, false, judge_nodes},
	{"users", 1000, false, poll_users},
	{"events", 1000, false, feed_tick},
	{"joins", 60000, true, enrol_expire},
	{"deleted", 60000, true, node_purge},
	{"requests", 5000, true, request_expire},
	{"samples", 1000, false, history_follow},
	{"once", 3600000, true, once_expire},
	{"blocks", 200, true, packer_tick},
	{"settle", 60000, false, history_settle},
	{"alerts", 2000, true, alerts_tick},
	{"what is open", 2000, false, alerts_show},
	{"old alerts", 3600000, true, alerts_expire},
	{"journal", 600000, true, follow_expire},
};

struct jobs {
	int64_t next[ARRAY_LEN(table)]; /* monotonic ms */
};

struct jobs *jobs_new(void)
{
	return xcalloc(1, sizeof(struct jobs));
}

void jobs_free(struct jobs *j)
{
	free(j);
}

void jobs_tick(struct jobs *j, struct master *m)
{
	int64_t mono = clock_mono_ms();

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (mono < j->next[i] || (table[i].alone && !atomic_load(&m->leads)))
			continue;
		j->next[i] = mono + table[i].every_ms;
		table[i].run(m, clock_ms());
	}
}
