/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_FORECAST_H
#define FELLOE_FORECAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* When will it be full? A straight line through the hours of up to 30 days. */
#define FORECAST_WINDOW_MS (INT64_C(30) * 24 * 3600 * 1000)

/* Sums of a least-squares fit; start with {0}. */
struct forecast {
	size_t n;
	int64_t first, last;      /* ms */
	double sx, sy, sxx, sxy;  /* x: hours since first */
	double newest;
};
/* One point of the course; ts only grows. */
void forecast_add(struct forecast *f, int64_t ts, double percent);
/* Days from the newest point until the line through all of them, laid through
 * the newest, meets 100 %; false when there are too few (3 days, 24 points) or it
 * does not grow by 1 % at least over the window. */
bool forecast_days(const struct forecast *f, double *days, double *per_day);

#endif
