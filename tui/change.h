/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TUI_CHANGE_H
#define FELLOE_TUI_CHANGE_H

#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/err.h"
#include "tui/model.h"

/* What became different in the list of nodes: a frame of the topics node and
 * join (docs/api.md, Events). Made by the network thread, never changed after,
 * applied to the list by the UI thread. */

/* New numbers of a machine that else is as it was. */
struct change_sample {
	uint64_t id;
	int64_t seen, ts;      /* ms, 0 unknown */
	double cpu, disk, mem; /* percent, NAN unknown */
	double minute;         /* mean CPU of the minute of ts; NAN unknown */
};
struct change {
	struct change_sample *samples;
	size_t n_samples;
	struct page *items;    /* whole rows: new, or instead of the ones before; NULL none */
	uint64_t *gone;
	size_t n_gone;
};

/* data is JSON of len bytes, ended by a NUL. The samples may be many thousands a
 * second: they are read in place, without a tree of values. */
int change_from(struct change **ret, const char *data, size_t len, struct err *e) MUSTCHECK;
void change_free(struct change *c);
/* Puts c into n. True: rows came, went or changed in more than their numbers.
 * Rows that n gave out before may be gone at the next call, not before. */
bool change_apply(struct nodes *n, const struct change *c);

#endif
