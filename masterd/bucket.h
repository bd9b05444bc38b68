/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_BUCKET_H
#define FELLOE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/attr.h"

/* Token buckets, one an address, in a table of fixed size: when it is full the
 * address that was quiet longest gives its place. Where an address lies in it
 * cannot be foreseen from outside. All addresses of one IPv6 network (/64, what
 * one customer gets) share a bucket. Other texts are keys too. Any thread. */
struct buckets;

/* Each address may do per_minute things at once and gets them back over a minute. */
struct buckets *buckets_new(unsigned per_minute);
void buckets_free(struct buckets *b);
/* From now on. */
void buckets_set(struct buckets *b, unsigned per_minute);
/* May address do one more? Returns 0, or the seconds until it may. Takes nothing. */
unsigned buckets_wait_s(struct buckets *b, const char *address, int64_t now_ms);
/* Take one. */
void buckets_take(struct buckets *b, const char *address, int64_t now_ms);

#endif
