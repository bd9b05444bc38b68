/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TUI_MODEL_H
#define FELLOE_TUI_MODEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/json.h"
#include "shared/list.h"
#include "shared/wire.h"

/* What the master says, as structs that never change once made: the network
 * thread makes them, the views read them. Only the list of nodes, once the UI
 * thread alone has it, takes changes in (tui/change.h).
 * Texts pass str_clean here, the border between strangers' text and the screen. */

enum health { H_FAILED, H_WARN, H_OFFLINE, H_RUNNING, H_PAUSED, H_WAITING, H_BLOCKED, H_OK };
/* The glyph and word of a health: "✗ FAILED"; and the word of the API. */
const char *health_text(enum health h);
const char *health_name(enum health h);

enum { TREND = 24, TREND_GAP = 255 };
struct node {
	uint64_t id;
	enum health health;
	char state;              /* 'p'ending, 'a'ctive, 'b'locked */
	bool name_in_use;        /* another node has this name */
	bool code_open;          /* the code is not protected by a key of the node */
	const char *name, *hostname, *peer, *code, *reason, *agent, *os, *key, *asked_by, *blocked_by;
	const char *sites, *timers, *storages; /* "a, b" */
	int64_t created, seen, blocked_at;
	int64_t ts;              /* of the newest sample, 0 none */
	struct page *home;       /* where the row and its texts are */
	int64_t memory, cores;   /* -1 unknown */
	double cpu, mem, disk;   /* percent, NAN unknown */
	uint8_t trend[TREND];    /* CPU by the minute, the newest last; TREND_GAP */
	bool running;
	double run_percent;      /* NAN unknown */
	int64_t run_left;        /* ms, -1 unknown */
	int64_t last_at;         /* end of the last run, 0 never */
	enum run_state last_state;
	int64_t last_size;       /* -1 */
	int64_t good_age;        /* ms: of the last good backup, of the site where it is oldest; -1 none */
	int64_t never_good;      /* sites without any */
	int64_t next_at;         /* 0: no timer */
};

/* One page of the list, as it came. */
struct page {
	atomic_int refs;
	struct node *v;
	size_t n;
	size_t used;             /* rows that the changed list still shows; of the UI thread */
	struct text_block *text;
};
/* The whole list, ordered by id. */
struct nodes {
	atomic_int refs;
	struct {
		LIST_OF(struct node *);
	};
	struct {
		LIST_OF(struct page *);
	} pages, dead;           /* dead: not shown any more, freed with the next change */
	bool counted;            /* `used` of the pages is right */
	int64_t at;              /* when the newest page came; ms, wall clock */
	size_t pending, blocked; /* of n */
	size_t by_health[H_OK + 1];
};
int page_from(struct page **ret, const struct json *items, struct err *e) MUSTCHECK;
void page_unref(struct page *p);
/* Takes a reference on each page. */
struct nodes *nodes_from(struct page *const *pages, size_t n, int64_t at);
void nodes_unref(struct nodes *n);
const struct node *nodes_find(const struct nodes *n, uint64_t id);
/* For the one that has n alone: the row, or NULL (*hint is the place to look at
 * first, then the one behind the row); rows of p instead of those with
 * the same id, or new ones (p NULL: none; takes a reference); without this one
 * (only behind a nodes_replace of the same change). */
struct node *nodes_row(struct nodes *n, uint64_t id, size_t *hint);
void nodes_replace(struct nodes *n, struct page *p);
void nodes_drop(struct nodes *n, uint64_t id);

struct site {
	const char *name;
	int64_t last_good;       /* 0 never */
	int64_t proven;          /* that a backup was proven restorable; 0 never */
	int64_t damaged;         /* backups that are kept and damaged */
};
struct missing {           /* a timer that should have fired and did not */
	const char *timer;
	int64_t due, count;
};
/* One node in full. */
struct detail {
	struct node node;
	struct wire_sample sample;
	bool has_sample;
	struct site *sites;
	size_t n_sites;
	struct missing *missing;
	size_t n_missing;
	int64_t at;
	struct text_block *text;
};
int detail_from(struct detail **ret, const struct json *j, int64_t at, struct err *e) MUSTCHECK;
void detail_free(struct detail *d);

/* A series of the CPU in percent, one value a step, oldest first; NAN gaps. */
struct series {
	double *cpu;
	size_t n;
	int64_t from, step;      /* ms */
};
/* Steps without a sample are gaps; n steps that end at `to`. */
struct series *series_from(const struct json *j, int64_t to, int64_t step, size_t n);
void series_free(struct series *s);

/* Runs, newest first. */
struct runs {
	struct wire_run *v;
	size_t n;
	int64_t at;
	uint64_t of;             /* the node asked about, 0 all */
};
int runs_from(struct runs **ret, const struct json *items, int64_t at, struct err *e) MUSTCHECK;
void runs_free(struct runs *r);

#endif
