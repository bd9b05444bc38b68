/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_WIRE_H
#define FELLOE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/err.h"
#include "shared/hash.h"
#include "shared/json.h"
#include "shared/list.h"

/* What travels between node, master and console (docs/api.md): plain structs
 * with one _put (JSON out) and one _get (JSON in, all problems collected) each.
 * Texts are fixed arrays: a longer one is a problem when read. Numbers that a
 * sender left out are NAN (double) or -1 (int64_t). _done frees the lists. */

enum { WIRE_NAME = 65, WIRE_HOST = 256, WIRE_TEXT = 256, WIRE_LOG = 65536 };

struct wire_disk {
	char mount[WIRE_TEXT];
	int64_t total, used;      /* bytes; used + available = total for an ordinary user, as df(1) shows */
	double percent;           /* as df(1) shows */
	double inodes_percent;
};

/* A run in progress, as the node's status file and a sample carry it. */
struct wire_progress {
	char uuid[UUID_TEXT];
	char site[WIRE_NAME], timer[WIRE_NAME];   /* timer "" when started by hand */
	char what[16];            /* "db", "files", "db+files" */
	char phase[16];           /* "plan" "definitions" "dump" "files" "seal" "verify" "restore" "keys" "check" */
	char item[WIRE_TEXT];     /* table or path at work, "" */
	char storage[WIRE_NAME];
	int64_t started;
	int64_t bytes_done, bytes_total; /* before compression; total -1 when not known */
	int64_t bytes_stored;     /* after compression */
	double rate, rate_avg;    /* bytes a second: now, whole run */
	int64_t files, rows, skipped;
	int64_t weight;
};

/* A systemd timer of the node. */
struct wire_timer {
	char name[WIRE_NAME];
	char on_calendar[WIRE_TEXT];
	bool enabled, active;
	int64_t next, last;       /* 0: none */
	char result[32];          /* systemd's Result of the last service run: "success" "exit-code" ..., "" never */
	int64_t exit_status;      /* of the last run; -1 unknown */
	int64_t took_ms;          /* of the last run; -1 unknown */
	int64_t spread_s;
	bool persistent, running;
	bool paused;              /* it fires and does nothing, until it is resumed */
};

/* A storage of the node, as it knows it: no secrets. */
struct wire_storage {
	char name[WIRE_NAME], type[16];  /* "s3" "dir" */
	char endpoint[WIRE_HOST];        /* host; "" for dir */
	char bucket[WIRE_TEXT];          /* the folder of a dir */
	char state[16];                  /* "ok" "failing" "drained" "unused" */
	char error[WIRE_TEXT];           /* of the last failure, "" when it is well */
	int64_t weight, limit, used;     /* bytes; used by archives of this node, -1 unknown */
	int64_t free;                    /* on the disk of a dir; -1 unknown */
	int64_t failures;                /* in a row */
	int64_t last_ok, last_failed, rests_until; /* 0: never, not */
};

struct wire_sample {
	int64_t ts;               /* ms; the node's clock */
	double cpu, disk;         /* percent 0-100; disk is the fullest file system */
	int64_t active_backups;
	int64_t mem_total, mem_used, swap_total, swap_used; /* bytes */
	double load[3];
	double io_read, io_write, net_rx, net_tx;           /* bytes a second */
	double pressure_cpu, pressure_io, pressure_mem;     /* PSI some avg10, percent */
	int64_t uptime_s, cores;
	int64_t mysql_threads_running, outbox_depth;
	char agent_version[32];
	struct { LIST_OF(struct wire_disk); } disks;
	struct { LIST_OF(struct wire_progress); } runs;
	struct { LIST_OF(struct wire_timer); } timers;
	struct { LIST_OF(struct wire_storage); } storages;
};
void wire_sample_init(struct wire_sample *s);  /* everything unknown */
void wire_sample_done(struct wire_sample *s);
void wire_sample_put(struct json_out *o, const char *key, const struct wire_sample *s);
/* Also for "runs" of a status file alone: */
void wire_progress_put(struct json_out *o, const char *key, const struct wire_progress *p);
void wire_progress_get(struct wire_progress *ret, const struct json *j, const char *base, struct problems *p);
/* cpu_usage, disk_usage and active_backups are required, the rest may be absent. */
void wire_sample_get(struct wire_sample *ret, const struct json *j, const char *base, struct problems *p);
void wire_storage_put(struct json_out *o, const char *key, const struct wire_storage *s);
void wire_timer_put(struct json_out *o, const char *key, const struct wire_timer *t);
void wire_timer_get(struct wire_timer *ret, const struct json *j, const char *base, struct problems *p);

enum run_state { RUN_RUNNING, RUN_OK, RUN_WARNING, RUN_FAILED, RUN_ABORTED, RUN_SKIPPED, RUN_SUSPECT, RUN_STATES };
const char *run_state_name(enum run_state s);            /* "running" ... */
int run_state_from(enum run_state *ret, const char *name) MUSTCHECK; /* 0 or -1 */
bool run_state_good(enum run_state s);                   /* ok or warning: an archive to rely on */

struct wire_archive {
	char storage[WIRE_NAME];
	char db[WIRE_NAME * 4];   /* database in it, "" for files only */
	char key[1024];
	int64_t size;
	char sha256[SHA256_HEX];
	char damage[256];         /* what a verification found wrong with it, "" nothing is known */
	int64_t damage_at;        /* when; 0 nothing is known */
};

struct wire_phase {
	char name[16];
	int64_t ms;
};

/* A run, whole: what PUT /runs/{uuid} carries and GET /runs shows. */
struct wire_run {
	char uuid[UUID_TEXT], batch[UUID_TEXT];
	char previous[UUID_TEXT]; /* the run that the node made before it of the same site, whatever the clock said; "" none */
	int64_t rev;
	char site[WIRE_NAME], timer[WIRE_NAME];
	char trigger[16];         /* "timer" "manual" "request" */
	char what[16];
	enum run_state state;
	int64_t started, finished; /* 0: still running */
	int64_t bytes_in, bytes_stored, files, skipped, rows, tables;
	char error_kind[16], error[ERR_MSG_MAX]; /* "" when none */
	char *log;                /* tail, at most 64 KiB; NULL */
	char snapshot[WIRE_TEXT]; /* "mysql-bin.000042:18834, GTID 0-1-77", "" */
	int64_t proven;           /* all of it was restored once and was what had been read; 0 never */
	char proof[WIRE_TEXT];    /* why the last such try failed, "" when it did not */
	bool held;                /* by hand: never deleted */
	int64_t pruned;           /* when it was given up: its archives are gone, or go as soon as their storage answers; 0 not */
	struct { LIST_OF(struct wire_phase); } phases;
	struct { LIST_OF(struct wire_archive); } archives;
	/* only in answers of the master: */
	int64_t node_id;          /* 0 */
	char node[WIRE_HOST];
	int64_t began, ended;     /* as far as the master can tell, which orders runs by it; 0 not known, not ended */
	int64_t clock_ahead_s;    /* started was so far ahead of the master's clock; -1 not, or not by much */
};
void wire_run_init(struct wire_run *r);
void wire_run_done(struct wire_run *r);
void wire_run_put(struct json_out *o, const char *key, const struct wire_run *r);
/* What orders it among others: began, or started where no master told. */
int64_t wire_run_began(const struct wire_run *r);
void wire_run_get(struct wire_run *ret, const struct json *j, const char *base, struct problems *p);

/* Pairing (docs/api.md): both ends take the code from the same bytes. */
enum { PAIR_NONCE = 32, PAIR_CODE = 24 };
/* SHA-256("felloe-join-1" || nonce_n || public_key) */
void pair_commitment(uint8_t out[static SHA256_LEN], const uint8_t nonce[static PAIR_NONCE], const uint8_t pub[static 32]);
/* "KELP-4821": a word of four letters and four digits out of SHA-256(
 * "felloe-code-1" || public_key || nonce_n || master_nonce || request_id (text) || spki (32 bytes)) */
void pair_code(char code[static PAIR_CODE], const uint8_t pub[static 32], const uint8_t nonce_n[static PAIR_NONCE],
	       const uint8_t master_nonce[static PAIR_NONCE], const char *request_id, const uint8_t spki[static 32]);

#endif
