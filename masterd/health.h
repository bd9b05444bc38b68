/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_HEALTH_H
#define FELLOE_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "masterd/tbl_alert.h"
#include "masterd/tbl_join.h"
#include "masterd/tbl_node.h"
#include "shared/json.h"
#include "shared/list.h"
#include "shared/wire.h"

/* What live keeps of a node, and the judgement over it. */

/* Worst first. */
enum health { H_FAILED, H_WARN, H_OFFLINE, H_RUNNING, H_PAUSED, H_WAITING, H_OK, HEALTHS };
const char *health_name(enum health h);
int health_from(enum health *ret, const char *name) MUSTCHECK;
/* From the age of the last report: up to 3 heartbeats, up to 6, more. */
enum liveness { L_ONLINE, L_STALE, L_OFFLINE };
const char *liveness_name(enum liveness l);

enum { LIVE_TREND = 24, LIVE_NO_TREND = 255, REASONS_MAX = 8, REASON_TEXT = 360, SITE_ERROR = 256 };

/* A run that is kept and damaged. */
struct live_damaged {
	char uuid[UUID_TEXT];
	int64_t began, found;    /* 0: it is not known when */
	bool held;
};

/* A site of a node, from its runs. */
struct live_site {
	char name[WIRE_NAME];
	enum run_state state;    /* of the newest that ended; valid when started */
	int64_t began, ended, size; /* as far as the master can tell; 0 none ended yet */
	int64_t started;         /* when by the node's clock */
	char uuid[UUID_TEXT], error[SITE_ERROR], error_kind[16];
	char timer[WIRE_NAME];   /* that started its runs last, "" none did */
	int64_t good_at, good_began, good_size; /* newest ok or warning: when it ended, its start; 0 never */
	int64_t proven_at, proven_began; /* the newest run that was restored as a proof: when that was, its start; 0 none */
	struct { LIST_OF(struct live_damaged); } damaged; /* in no order */
	int64_t running_since;   /* 0 not */
	char running_uuid[UUID_TEXT];
};

/* What only the master that watches can tell (svc_alerts.h), from the open alerts. */
struct live_told {
	enum alert_kind kind;    /* missed_run, backup_old, disk_forecast */
	enum severity severity;
	char ref[WIRE_NAME], cause[REASON_TEXT];
	int64_t due, times;      /* of a missed run */
};

/* What of a node's line was told last (live_change.h). */
struct live_shown {
	uint64_t sum;
	double cpu, disk, memory; /* percent; memory -1 not known */
	int64_t backups;
	int64_t at;              /* ms */
};

/* A machine that reports with a node's key. */
struct live_origin {
	char instance[40];       /* what the node says it is; "" none */
	char peer[48];
	int64_t seen;
};
enum { ORIGINS_BEFORE = 3 };

struct live_node {
	struct node n;
	struct join join;        /* request_id "" when there is none */
	struct json *facts;      /* n.facts read; NULL */
	struct wire_sample last;
	bool has_sample, skewed;
	int64_t whole_ts;        /* of the last sample that told all, timers and runs too */
	int64_t seen;            /* the master's clock at the last report */
	int64_t reported;        /* when the report was stored last */
	uint8_t trend[LIVE_TREND];
	int64_t trend_minute;
	double trend_sum;
	unsigned trend_n;
	struct { LIST_OF(struct live_site); } sites;
	struct { LIST_OF(struct live_told); } told;
	struct live_origin from; /* whom the last report came from */
	struct live_origin *before; /* ORIGINS_BEFORE others before it, newest first; NULL: there was one machine only */
	char *requests;          /* what waits for it, as a JSON array; NULL nothing */
	char *answer;
	/* the judgement */
	enum health health;
	enum liveness liveness;
	char reasons[REASONS_MAX][REASON_TEXT];
	unsigned n_reasons;
	/* who follows: the order of the changes, and live's version at the last one of all of
	 * the line, of more than its numbers, of the tags, of the sample */
	struct live_node *older, *newer;
	uint64_t changed, line_changed, tags_changed, sampled;
	struct live_shown shown;
};

/* Judge n at now; true when health, liveness or the number of reasons changed. */
bool health_judge(struct live_node *n, int64_t now, int64_t heartbeat_ms);
/* Of the runs of the site that are kept and damaged, but for the last one that ended (state, error): the one that was
 * found so last, NULL none. *n: how many there are, *held: how many of them are held by hand. */
const struct live_damaged *health_damaged(const struct live_site *s, size_t *n, size_t *held);
/* Of the sites that have had a good backup: the age in ms of the oldest last
 * one, -1 when there is none. *never: how many sites have not had any. */
int64_t health_good_age(const struct live_node *n, int64_t now, unsigned *never);

#endif
