/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TUI_PANELS_H
#define FELLOE_TUI_PANELS_H

#include "tui/app.h"

/* The panels of a node's page: CPU, memory, disks, backup. */
struct panels {
	const struct app *app;
	const struct detail *detail;
	const struct series *series; /* of the CPU; NULL: not there yet */
	const char *span;            /* "24 min, 15 s" */
};
/* All of them in r, by what fits. */
void panels_draw(struct screen *s, struct rect r, const struct panels *p);
/* The glyph and style of a run's state. */
const char *run_glyph(enum run_state state, enum style *style);
/* Values that a CPU chart of this screen shows. */
size_t panels_values(int cols);

#endif
