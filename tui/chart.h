/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TUI_CHART_H
#define FELLOE_TUI_CHART_H

#include <stddef.h>

#include "tui/screen.h"

/* Values are percent of the full height, 0 to 100; NAN is a missing sample and
 * stays a gap. */

/* "▇▇▇▇   ": percent of the span, anything above 0 can be seen. In 10 to
 * 12 cells the end is drawn in eighths. rest fills the remaining cells (NULL: nothing). */
void meter_draw(struct screen *s, struct span at, enum style style, double percent, const char *rest);
/* One bar of eight heights a value, the newest at the right; '·' for a gap. */
void spark_draw(struct screen *s, struct span at, enum style style, const double *v, size_t n);
/* A filled curve of dots, two values a cell in the width: the last 2 * r.w of
 * v[0..n), the newest at the right. */
void chart_draw(struct screen *s, struct rect r, enum style style, const double *v, size_t n);

#endif
