/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_WIZARD_ANSWERS_H
#define FELLOE_WIZARD_ANSWERS_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/buf.h"
#include "shared/err.h"
#include "shared/json.h"
#include "shared/list.h"

/* What the admin answered: plain data until Review applies it. An existing
 * config.json gives the first defaults; a kept wizard.json (without secrets)
 * goes over it. */

enum { ANSWER_NAME = 65, ANSWER_TEXT = 512 };

enum test_state { TEST_NONE, TEST_RUNNING, TEST_OK, TEST_FAILED };

struct answer_site {
	char name[ANSWER_NAME];
	char dir[ANSWER_TEXT];         /* of the site; for files only: what is backed up */
	char kind[64];                 /* "WordPress 6.4", "files only" */
	char wp_config[ANSWER_TEXT], wp_content[ANSWER_TEXT];
	char db_name[ANSWER_TEXT], db_user[ANSWER_NAME], db_host[ANSWER_TEXT]; /* as found, or as edited */
	char db_password[ANSWER_TEXT]; /* only when edited here; a secret */
	char exclude[ANSWER_TEXT];     /* patterns with commas between */
	int64_t bytes, db_bytes;       /* -1 not known */
	bool has_db, db_ok, chosen;
	char db_error[ANSWER_TEXT];
};

struct answer_storage {
	char name[ANSWER_NAME];
	bool s3;                       /* else a directory */
	char endpoint[ANSWER_TEXT], region[ANSWER_NAME], bucket[ANSWER_TEXT], prefix[ANSWER_TEXT];
	char access_key[ANSWER_TEXT], secret_key[ANSWER_TEXT]; /* secret_key is a secret */
	char secret_key_file[ANSWER_TEXT]; /* of an older configuration */
	char path[ANSWER_TEXT];
	bool path_style;
	char weight[12], limit_gb[12];
	enum test_state test;
	char test_text[ANSWER_TEXT];   /* "list ✓ write ✗ 403 ..." */
	int64_t test_ms;
};

enum every { EVERY_DAY, EVERY_WEEK, EVERY_MONTH, EVERY_HOUR, EVERY_OWN };

struct answer_timer {
	char name[ANSWER_NAME];
	enum every every;
	char at[8];                    /* "03:10"; for EVERY_HOUR the minute counts */
	unsigned days;                 /* EVERY_DAY: bit 0 Monday .. bit 6 Sunday; EVERY_WEEK: one of them */
	char own[ANSWER_TEXT];         /* EVERY_OWN: systemd.time(7) */
	char spread_min[8];
	char keep[ANSWER_TEXT];        /* "14d 8w 12m" as keep_text_parse takes it; "" keeps every run */
	bool db, files;
};

struct answers {
	bool managed;
	char master_url[ANSWER_TEXT], node_name[256], pin[80];
	bool pin_trusted;              /* pin was shown and taken */
	struct { LIST_OF(struct answer_site); } sites;
	struct { LIST_OF(struct answer_storage); } storages;
	struct { LIST_OF(struct answer_timer); } timers;
	struct json *old;              /* the existing configuration, or NULL */
	char old_text[ANSWER_TEXT];    /* "old config from 3 Oct (standalone, 2 sites)", or "" */
	char config_path[ANSWER_TEXT], kept_path[ANSWER_TEXT], api_key_file[ANSWER_TEXT];
};

/* Defaults: managed, host name, one nightly timer at 03:10; then config_path's
 * values, then kept_path's, when these exist; kept ones that are older than
 * config.json are left. Unreadable ones are an error. */
int answers_init(struct answers *a, const char *config_path, const char *kept_path, struct err *e) MUSTCHECK;
void answers_done(struct answers *a);          /* wipes secrets */
/* Write kept_path (0600) without secrets, so that leaving loses nothing. */
int answers_keep(const struct answers *a, struct err *e) MUSTCHECK;
/* The config.json that these answers stand for. What the wizard does not ask
 * for (hooks, limits, notify ...) is kept from the old one. Holds secrets. */
void answers_config(const struct answers *a, struct buf *to);
/* A config.json with this one storage alone, for testing it. Holds the secret. */
void answers_storage_config(const struct answers *a, const struct answer_storage *s, struct buf *to);
/* What a new timer keeps: two days of every hour for an hourly one, and always
 * 14 days, 8 weeks and 12 months. Lent. */
const char *answers_keep_default(enum every every);
/* The expression of a timer, "*-*-* 03:10:00"; "" when "at" is not a time. */
void answers_on_calendar(const struct answer_timer *t, char *to, size_t size);
/* Is there anything in step n (0 role .. 5 review) that stands against going on?
 * True and why; false when it is fine. */
bool answers_lack(const struct answers *a, unsigned step, char *why, size_t size);

#endif
