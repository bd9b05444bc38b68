/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_LIVE_PUT_H
#define FELLOE_LIVE_PUT_H

#include "masterd/health.h"
#include "shared/json.h"

/* A node as JSON (docs/api.md): a line of the list, or all of it. */
void live_put_item(struct json_out *o, const struct live_node *n);
void live_put_whole(struct json_out *o, const struct live_node *n);
/* As events tell them: the numbers of its line; its newest sample, whole. */
void live_put_numbers(struct json_out *o, const struct live_node *n);
void live_put_newest(struct json_out *o, const struct live_node *n);
/* A timer with its node. */
void live_put_timer(struct json_out *o, const struct live_node *n, const struct wire_timer *t);
/* A storage with its node. */
void live_put_storage(struct json_out *o, const struct live_node *n, const struct wire_storage *s);

#endif
