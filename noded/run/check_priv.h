/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_CHECK_PRIV_H
#define FELLOE_CHECK_PRIV_H

#include "noded/run/check.h"

/* Shared by the files of the check only. */

/* One more problem; path as in struct check_text. */
void check_add(struct check_texts *list, const char *path, const char *fmt, ...) PRINTF(3, 4);
/* Storages: limits, free disk, growth, and what lies on some that are not configured any more. */
void check_room(struct check *r, const struct config *c);
/* The directories that every run writes to on its way. */
void check_own_room(struct check *r, const struct config *c);

#endif
