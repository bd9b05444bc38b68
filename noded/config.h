/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_NODED_CONFIG_H
#define FELLOE_NODED_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/err.h"
#include "shared/json.h"
#include "shared/list.h"
#include "shared/str.h"

/* config.json, whole and validated (docs/config.md, felloe-config(5)). Texts are
 * never NULL: absent ones are "". */

/* How a database is reached. Empty fields are read from wp-config.php when the
 * run is planned (site_db). */
struct db_access {
	char *host;       /* "host", "host:port", "host:/socket", "" = localhost */
	char *user, *password;
	char *ssl;        /* "off" "prefer" "verify" */
	char *ssl_ca;
};

struct site {
	char *name;
	char *wp_config_path, *wp_content_path;
	struct db_access db;
	char *db_name;    /* "" = from wp-config.php, or no database at all; "*" = whole server */
	struct strings db_exclude;     /* databases, for "*" */
	struct strings paths, exclude; /* absolute paths; gitignore-like globs */
	struct strings exclude_tables; /* "table" (nothing) or "table:data" (structure only) */
	bool db_users;                 /* accounts, roles and grants of the server go along; default: only with "*" */
	struct strings hook_before, hook_after, hook_on_error; /* argv[0..] each "command line" split at blanks, no shell */
};

struct storage {
	char *name;
	char *type;        /* "s3" "dir" */
	char *endpoint, *region, *bucket, *prefix, *storage_class;
	char *access_key, *secret_key;  /* secret_key wiped by config_free */
	char *secret_key_file;          /* read when the storage is opened */
	char *ca_file, *proxy, *session_token_file;
	char *path;        /* dir */
	bool path_style;
	int64_t weight;    /* priority, highest first; 0 = drained */
	int64_t limit_bytes; /* storage_limit_gb x 10^9 */
	double max_upload_mbps; /* 10^6 bits/s; 0 = no limit */
};

struct keep {
	bool given;
	int64_t last, hourly, daily, weekly, monthly, yearly;
	char *within;
};

struct timer {
	char *name;
	struct strings sites;  /* "*" = all */
	bool db, files;        /* what */
	char *on_calendar;     /* systemd.time(7) */
	int64_t spread_s;
	struct keep keep;
};

struct config {
	char *path;            /* where it was read */
	char *server_id;       /* default: the host name */
	struct { char *url, *api_key_file, *pin, *ca_file; } master; /* url "" = standalone */
	struct { LIST_OF(struct site); } sites;
	struct { LIST_OF(struct storage); } storages;
	struct { LIST_OF(struct timer); } timers;
	int64_t level, threads;            /* compression; 3, 2 */
	bool adaptive;                     /* the level falls while compression is what everything waits for */
	/* what makes a run suspect, in percent of the last good one; 50, 50, 400, 0 = never */
	struct { int64_t rows_drop_pct, size_drop_pct, size_jump_pct; struct strings ignore_tables; } plausibility;
	int64_t memory_mb, mysql_connections, spool_gb; /* limits; 96, 2, 2 */
	int64_t lock_wait_s, ddl_wait_s;   /* 600, 10 */
	int64_t heartbeat_s;               /* 10 */
	struct strings allow_requests;
	struct { char *ping_url, *webhook; struct strings command; } notify;
};

/* Read and validate. Everything wrong is added to problems at once with its
 * path; keys that are not known go to unknown (a problem for check and apply, a
 * warning for backup and agent: a typo must not stop a backup). -1 when the
 * file cannot be read or parsed (line and column), or problems is not empty;
 * then *ret is untouched and e names the first problem and how many more. */
int config_load(struct config **ret, const char *path, struct problems *problems, struct problems *unknown,
		struct err *e) MUSTCHECK;
/* The same from text already at hand; path is for messages. */
int config_parse(struct config **ret, const char *text, size_t len, const char *path, struct problems *problems,
		 struct problems *unknown, struct err *e) MUSTCHECK;
void config_free(struct config *c);
void config_freep(struct config **c);
const struct site *config_site(const struct config *c, const char *name);       /* NULL */
const struct storage *config_storage(const struct config *c, const char *name); /* NULL */
const struct timer *config_timer(const struct config *c, const char *name);     /* NULL */
/* For the end of a message that says that there is no such thing: which one may be meant (str_hint). */
struct str_hint config_site_hint(const struct config *c, const char *name);
struct str_hint config_storage_hint(const struct config *c, const char *name);
struct str_hint config_timer_hint(const struct config *c, const char *name);
/* Storages in the order in which a run tries them: weight > 0, highest first,
 * ties in file order. list_done it. */
struct storage_order { LIST_OF(const struct storage *); };
void config_storage_order(const struct config *c, struct storage_order *ret);

#endif
