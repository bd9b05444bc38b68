/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/forecast.h"

enum { POINTS_MIN = 24, DAYS_MIN = 3, HOURS = 24, HOUR_MS = 3600 * 1000 };
static const double growth_min = 1, full = 100;

void forecast_add(struct forecast *f, int64_t ts, double percent)
{
	double x;

	if (!f->n)
		f->first = ts;
	x = (double)(ts - f->first) / HOUR_MS;
	if (!f->n || ts >= f->last) {
		f->last = ts;
		f->newest = percent;
	}
	f->n++;
	f->sx += x;
	f->sy += percent;
	f->sxx += x * x;
	f->sxy += x * percent;
}

bool forecast_days(const struct forecast *f, double *days, double *per_day)
{
	double n = (double)f->n, hours = (double)(f->last - f->first) / HOUR_MS, below, slope;

	if (f->n < POINTS_MIN || hours < DAYS_MIN * HOURS)
		return false;
	below = n * f->sxx - f->sx * f->sx;
	if (below <= 0)
		return false;
	slope = (n * f->sxy - f->sx * f->sy) / below;
	if (slope * hours < growth_min)
		return false;
	*per_day = slope * HOURS;
	*days = f->newest < full ? (full - f->newest) / *per_day : 0;
	return true;
}
