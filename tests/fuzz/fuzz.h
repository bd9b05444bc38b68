/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TESTS_FUZZ_H
#define FELLOE_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* What a target gives; tests/fuzz/smoke.c and tests/fuzz/libfuzzer.c drive it. */
void fuzz_begin(void);                       /* once */
void fuzz_one(const uint8_t *p, size_t n);   /* crashes or aborts when something is wrong */
/* The i-th input to begin with; its length, 0 after the last. */
size_t fuzz_seed(size_t i, uint8_t *out, size_t max);

#endif
