/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_CONFIG_CHECK_H
#define FELLOE_CONFIG_CHECK_H

#include "noded/config.h"

/* What a value of config.json must be. Each adds what is wrong to problems,
 * with the path of the value in the file. */

enum { CONFIG_PATH_TEXT = 128 };

/* "base.key", or key alone. */
void config_path(char path[static CONFIG_PATH_TEXT], const char *base, const char *key);
void config_want_absolute(const char *value, const char *base, const char *key, struct problems *problems);
void config_want_url(const char *value, const char *base, const char *key, struct problems *problems);
/* Seconds of a time span as systemd.time(7) writes it, "1h 30min", or of a plain number; -1 when it is none. */
int config_span(int64_t *ret, const char *text) MUSTCHECK;

void config_check_site(const struct site *s, const char *base, struct problems *problems);
void config_check_storage(const struct storage *s, const char *base, struct problems *problems);
/* c: whose sites the timer may name. */
void config_check_timer(const struct config *c, const struct timer *t, const char *base, struct problems *problems);

#endif
