/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/pace.h"

/* An older rate counts for half after about so long. */
static const double half_us = 100000;

void pace_learn(struct pace *p, size_t changes, bool late, int64_t since_us)
{
	double since = since_us < 1 ? 1 : (double)since_us;
	double now = (double)changes * 1e6 / since, part = since / (since + half_us);
	double want;

	p->a_second += (now - p->a_second) * part;
	if (!late) {
		p->wait_us /= 2;
		/* one alone is not kept waiting, but tried again now and then by those that come in numbers */
		if (p->wait_us < PACE_LEAST_US)
			p->wait_us = changes > 1 || p->a_second > 100 ? PACE_LEAST_US : 0;
		return;
	}
	want = PACE_AIM * 1e6 / (p->a_second < 1 ? 1 : p->a_second);
	p->wait_us = want > PACE_MOST_US ? PACE_MOST_US : want < PACE_LEAST_US ? PACE_LEAST_US : (int64_t)want;
}
