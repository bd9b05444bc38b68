/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/units.h"

#include <inttypes.h>
#include <stdio.h>

/* IEC 80000-13 */
static const char prefixes[] = {' ', 'K', 'M', 'G', 'T', 'P', 'E'};

/* bytes in the unit in which they have at most three digits before the point;
 * *unit indexes prefixes. 999.5 and up would be shown as 1000. */
static double scaled(double bytes, unsigned *unit)
{
	for (*unit = 0; bytes >= 999.5 && *unit + 1 < sizeof(prefixes); ++*unit)
		bytes /= 1024;
	return bytes;
}

char *units_bytes(char text[static UNITS_TEXT], uint64_t bytes)
{
	unsigned unit;
	double v = scaled((double)bytes, &unit);

	if (unit == 0)
		snprintf(text, UNITS_TEXT, "%u B", (unsigned)v);
	else
		snprintf(text, UNITS_TEXT, "%.*f %ciB", v < 9.995 ? 2 : v < 99.95 ? 1 : 0, v, prefixes[unit]);
	return text;
}

char *units_bytes_short(char text[static UNITS_TEXT], uint64_t bytes)
{
	unsigned unit;
	double v = scaled((double)bytes, &unit);

	if (unit == 0)
		snprintf(text, UNITS_TEXT, "%u", (unsigned)v);
	else
		snprintf(text, UNITS_TEXT, "%.*f%c", v < 99.95 ? 1 : 0, v, prefixes[unit]);
	return text;
}

char *units_rate(char text[static UNITS_TEXT], double bytes_per_second)
{
	char bytes[UNITS_TEXT];
	/* NAN and negative rates are no rates */
	uint64_t whole = bytes_per_second > 0 && bytes_per_second < 1e18 ? (uint64_t)(bytes_per_second + 0.5) : 0;

	snprintf(text, UNITS_TEXT, "%.20s/s", units_bytes(bytes, whole));
	return text;
}

enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

char *units_span(char text[static UNITS_TEXT], int64_t ms)
{
	long long s = ms > 0 ? ms / 1000 + (ms % 1000 >= 500) : 0;

	if (s < MINUTE)
		snprintf(text, UNITS_TEXT, "%llds", s);
	else if (s < HOUR)
		snprintf(text, UNITS_TEXT, "%lldm%02llds", s / MINUTE, s % MINUTE);
	else if (s < 2 * DAY)
		snprintf(text, UNITS_TEXT, "%lldh%02lld", s / HOUR, s % HOUR / MINUTE);
	else
		snprintf(text, UNITS_TEXT, "%lldd", s / DAY < 99999 ? s / DAY : 99999);
	return text;
}

char *units_about(char text[static UNITS_TEXT], int64_t ms)
{
	long long s = ms / 1000;

	if (s < MINUTE)
		snprintf(text, UNITS_TEXT, "less than 1 min");
	else if (s < 90 * MINUTE)
		snprintf(text, UNITS_TEXT, "about %lld min", (s + MINUTE / 2) / MINUTE);
	else if (s < 2 * DAY)
		snprintf(text, UNITS_TEXT, "about %lld h", (s + HOUR / 2) / HOUR);
	else
		snprintf(text, UNITS_TEXT, "about %lld days", (s + DAY / 2) / DAY);
	return text;
}

char *units_count(char text[static UNITS_COUNT], uint64_t n, const char *one, const char *many)
{
	snprintf(text, UNITS_COUNT, "%" PRIu64 " %.39s", n, n == 1 ? one : many);
	return text;
}

char *units_thousands(char text[static UNITS_TEXT], uint64_t n)
{
	char digits[UNITS_TEXT];
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);
	char *to = text;

	/* beyond 10^18 there is no room for commas */
	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0 && len < 18)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = '\0';
	return text;
}
