/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/fmt.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "shared/clock.h"
#include "shared/str.h"

char *fmt_age(char text[static FMT_TEXT], int64_t ms)
{
	int64_t s = ms < 0 ? 0 : ms / 1000, m = s / 60, h = m / 60, d = h / 24;

	if (s < 60)
		snprintf(text, FMT_TEXT, "%" PRId64 "s", s);
	else if (m < 10 && s % 60)
		snprintf(text, FMT_TEXT, "%" PRId64 "m%02" PRId64 "s", m, s % 60);
	else if (m < 60)
		snprintf(text, FMT_TEXT, "%" PRId64 "m", m);
	else if (h < 10 && m % 60)
		snprintf(text, FMT_TEXT, "%" PRId64 "h%02" PRId64, h, m % 60);
	else if (h < 24)
		snprintf(text, FMT_TEXT, "%" PRId64 "h", h);
	else
		snprintf(text, FMT_TEXT, "%" PRId64 "d", d);
	return text;
}

char *fmt_next(char text[static FMT_TEXT], int64_t at, int64_t now)
{
	char age[FMT_TEXT];

	if (at == 0)
		snprintf(text, FMT_TEXT, "-");
	else if (at >= now)
		snprintf(text, FMT_TEXT, "in %s", fmt_age(age, at - now));
	else if (now - at < 60000)
		snprintf(text, FMT_TEXT, "now");
	else
		snprintf(text, FMT_TEXT, "late %s", fmt_age(age, now - at));
	return text;
}

char *fmt_ago(char text[static FMT_TEXT], int64_t at, int64_t now)
{
	char full[FMT_TEXT], age[FMT_TEXT - 8];

	if (at == 0) {
		snprintf(text, FMT_TEXT, "never");
		return text;
	}
	/* from a minute on nobody counts the seconds, and a column has no room for them */
	str_cut(age, sizeof(age), fmt_age(full, now - at < 60000 ? now - at : (now - at) / 60000 * 60000));
	snprintf(text, FMT_TEXT, "%s%s ago", strspn(age, "0123456789") < 2 ? " " : "", age);
	return text;
}

char *fmt_watch(char text[static FMT_TEXT], int64_t ms)
{
	int64_t s = ms < 0 ? 0 : ms / 1000;

	if (s < 3600)
		snprintf(text, FMT_TEXT, "%" PRId64 ":%02" PRId64, s / 60, s % 60);
	else
		snprintf(text, FMT_TEXT, "%" PRId64 ":%02" PRId64 ":%02" PRId64, s / 3600, s / 60 % 60, s % 60);
	return text;
}

char *fmt_percent(char text[static FMT_TEXT], double percent, bool stale)
{
	char number[FMT_TEXT];

	if (isnan(percent)) {
		snprintf(text, FMT_TEXT, "   -");
		return text;
	}
	snprintf(number, sizeof(number), "%.0f%%", percent);
	if (percent >= 99.5) /* four cells, whatever comes */
		snprintf(text, FMT_TEXT, stale ? "~100" : "100%%");
	else
		snprintf(text, FMT_TEXT, stale ? "~%3s" : " %3s", number);
	return text;
}

#define STAMP(fmt) (utc ? clock_format(text, FMT_TEXT, fmt, ms) : clock_format_local(text, FMT_TEXT, fmt, ms))

char *fmt_clock(char text[static FMT_TEXT], int64_t ms, bool utc)
{
	return STAMP("%H:%M %Z");
}

char *fmt_day(char text[static FMT_TEXT], int64_t ms, bool utc)
{
	if (ms == 0) {
		snprintf(text, FMT_TEXT, "-");
		return text;
	}
	return STAMP("%a %e %b %H:%M %Z");
}

char *fmt_date(char text[static FMT_TEXT], int64_t ms, bool utc)
{
	return STAMP("%Y-%m-%d");
}

char *fmt_seconds(char text[static FMT_TEXT], int64_t ms, bool utc)
{
	return STAMP("%H:%M:%S %Z");
}

char *fmt_damaged(char text[static FMT_TEXT], int64_t n)
{
	text[0] = '\0';
	if (n > 0)
		snprintf(text, FMT_TEXT, ", %" PRId64 " DAMAGED", n);
	return text;
}

char *fmt_count(char text[static FMT_TEXT], int64_t n)
{
	char digits[FMT_TEXT];
	size_t len, out = 0;

	snprintf(digits, sizeof(digits), "%" PRId64, n);
	len = strlen(digits);
	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0 && digits[i - 1] != '-')
			text[out++] = ' ';
		text[out++] = digits[i];
	}
	text[out] = '\0';
	return text;
}

char *fmt_of(char text[static FMT_TEXT], int64_t part, int64_t whole)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
	size_t u = 0;
	double div = 1;

	while (u + 1 < sizeof(units) / sizeof(*units) && (double)whole / div >= 1000) {
		div *= 1024;
		u++;
	}
	snprintf(text, FMT_TEXT, "%.*f / %.*f %s", u && (double)part / div < 1000 ? 1 : 0, (double)part / div,
		 u && (double)whole / div < 100 ? 1 : 0, (double)whole / div, units[u]);
	return text;
}

int fmt_span_from(int64_t *ret, const char *text)
{
	static const struct {
		char unit;
		int64_t ms;
	} units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
	size_t n = strlen(text);
	char digits[16];
	uint64_t v;

	if (n < 2 || n >= sizeof(digits))
		return -1;
	memcpy(digits, text, n - 1);
	digits[n - 1] = '\0';
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (text[n - 1] == units[i].unit &&
		    str_to_u64(&v, digits, 1, (uint64_t)(100 * 365LL * 86400000 / units[i].ms)) == 0) {
			*ret = (int64_t)v * units[i].ms;
			return 0;
		}
	return -1;
}
