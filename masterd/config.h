/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MASTER_CONFIG_H
#define FELLOE_MASTER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "masterd/proxy.h"
#include "shared/attr.h"
#include "shared/err.h"

/* When the master raises an alert. */
struct config_alerts {
	int64_t missed_grace_s;  /* how late a timer may fire */
	int64_t silent_after_s;  /* without a report */
	int64_t hold_s;          /* what comes and goes must stay, or be gone, for so long */
	int64_t repeat_s;        /* reminders; 0 none */
	int64_t disk_percent, forecast_days, key_unused_h, backup_old_h, keep_days;
	int64_t notice_every_s;  /* a channel gets one message in so long at most */
};

/* master.json (felloe-master.json(5)). Texts are ours, NULL when absent. */
struct config {
	char *path;              /* where it was read from */
	char *listen;            /* "127.0.0.1:8443", "[::]:8443" */
	char *database;          /* "sqlite:/path" */
	char *state_dir;
	char *user;              /* whom run becomes when started by root; NULL: nobody else */
	char *jwt_secret;        /* at least 32 bytes of text; wiped by config_free */
	char *tls_cert, *tls_key; /* PEM files, both or none */
	char *tls_spki;          /* "sha256//..." of the key that clients see, behind a proxy */
	bool insecure_http;      /* plain HTTP beyond loopback */
	struct nets trusted_proxies;
	bool rfc7239;            /* proxy_header: they say Forwarded, not X-Forwarded-For */
	int64_t heartbeat_default_s;
	struct config_alerts alerts;
	int64_t keep_raw_h, keep_minute_d, keep_hour_d; /* samples, their means over minutes and hours */
	int64_t max_connections, per_address, queue, login_per_minute, join_per_minute, event_streams;
	int64_t headers_s, request_s, idle_s; /* how long a client may take */
};

/* Read and judge the file: every problem at once, each with its path; ERR_CONFIG.
 * Refused too: a secret that others may read, plain HTTP beyond loopback without
 * insecure_http, a certificate without its key, a state directory that everybody
 * may write to, proxies that are half the world, root's rights for strangers
 * (no user, beyond loopback), a port that user may not open. */
int config_load(struct config **ret, const char *path, struct err *e) MUSTCHECK;
void config_free(struct config *c);
void config_freep(struct config **c);

/* "ADDR:PORT" or "[ADDR]:PORT" apart; host as a number (RFC 4291), no names. */
int config_listen(const char *listen, char *host, size_t size, uint16_t *port, struct err *e) MUSTCHECK;
bool config_is_loopback(const char *host);

/* Write a new master.json (0600): only what differs from the defaults. */
int config_write(const char *path, const struct config *c, struct err *e) MUSTCHECK;

#endif
