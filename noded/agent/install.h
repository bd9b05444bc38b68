/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_INSTALL_H
#define FELLOE_INSTALL_H

#include <stddef.h>

#include "shared/attr.h"
#include "shared/err.h"

/* Put text at path as the new config.json (0600, atomically; it may hold
 * passwords). The one that was there is kept as PATH.YYYYmmddHHMMSS (UTC), 0600;
 * *kept is its path, or NULL when there was none or it is the same text. Yours. */
int install_config(const char *path, const char *text, size_t len, char **kept, struct err *e) MUSTCHECK;
/* Set master.url, and master.pin_sha256 when pin is not NULL, in the file at path; all else
 * stays as it is. Nothing is written when it says so already. */
int install_master(const char *path, const char *url, const char *pin, struct err *e) MUSTCHECK;

#endif
