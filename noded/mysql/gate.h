/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_GATE_H
#define FELLOE_MYSQL_GATE_H

#include <pthread.h>

#include "noded/mysql/dump.h"

/* Lets several threads call a sink, one at a time. */

struct gate {
	pthread_mutex_t lock;
	const struct dump_sink *sink;
};
void gate_init(struct gate *g, const struct dump_sink *sink);
void gate_done(struct gate *g);
/* The sink to call in place of that one; good as long as g. */
struct dump_sink gate_sink(struct gate *g);

#endif
