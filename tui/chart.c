/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/chart.h"

#include <math.h>

void meter_draw(struct screen *s, struct span at, enum style style, double percent, const char *rest)
{
	static const char *const tails[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
	double cells = fmin(fmax(percent, 0), 100) / 100 * at.w;
	int eighths = (int)lround(cells * 8), full = at.w < 10 || at.w > 12 ? (int)lround(cells) : eighths / 8;

	if (isnan(percent))
		return;
	if (full == 0 && percent > 0 && (at.w < 10 || at.w > 12 || eighths == 0))
		full = 1;
	screen_repeat(s, AT(at.y, at.x, full), style, "▇");
	if (at.w >= 10 && at.w <= 12 && eighths % 8 && !rest)
		screen_put(s, AT(at.y, at.x + full, at.w - full), style, tails[eighths % 8]);
	if (rest)
		screen_repeat(s, AT(at.y, at.x + full, at.w - full), ST_DIM, rest);
}

void spark_draw(struct screen *s, struct span at, enum style style, const double *v, size_t n)
{
	static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

	for (int i = 0; i < at.w; i++) {
		double p = (size_t)(at.w - i) <= n ? v[n - (size_t)(at.w - i)] : NAN;

		if (isnan(p))
			screen_put(s, AT(at.y, at.x + i, 1), ST_DIM, "·");
		else
			screen_put(s, AT(at.y, at.x + i, 1), style, bars[(int)(fmin(fmax(p, 0), 99.9) / 12.5)]);
	}
}

/* Dots of a column (0 left, 1 right) of a braille cell, filled from below; Unicode 2800-28FF. */
static unsigned dots(int column, int filled)
{
	static const unsigned bits[2][4] = {{0x40, 0x04, 0x02, 0x01}, {0x80, 0x20, 0x10, 0x08}};
	unsigned m = 0;

	for (int i = 0; i < filled && i < 4; i++)
		m |= bits[column][i];
	return m;
}

void chart_draw(struct screen *s, struct rect r, enum style style, const double *v, size_t n)
{
	for (int x = 0; x < r.w; x++) {
		for (int y = 0; y < r.h; y++) {
			unsigned m = 0;
			char text[5];

			for (int half = 0; half < 2; half++) {
				size_t back = (size_t)(2 * (r.w - x) - half);
				double p = back <= n ? v[n - back] : NAN;
				int high = isnan(p) ? 0 : (int)lround(fmin(fmax(p, 0), 100) / 100 * (r.h * 4 - 1)) + 1;

				m |= dots(half, high - (r.h - 1 - y) * 4);
			}
			utf8_put(text, m ? 0x2800 + m : ' ');
			screen_put(s, AT(r.y + y, r.x + x, 1), style, text);
		}
	}
}
