/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TESTS_FUZZ_H
#define FELLOE_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What a target gives; tests/fuzz/smoke.c and tests/fuzz/libfuzzer.c drive it. */
void fuzz_begin(void);                       /* once */
void fuzz_one(const uint8_t *p, size_t n);   /* crashes or aborts when something is wrong */
/* The i-th input to begin with; its length, 0 after the last. */
size_t fuzz_seed(size_t i, uint8_t *out, size_t max);

/* fuzz_seed of a target whose inputs to begin with are n texts. */
static inline size_t fuzz_text_seed(const char *const *texts, size_t n, size_t i, uint8_t *out, size_t max)
{
	size_t len = i < n ? strnlen(texts[i], max) : 0;

	if (len)
		memcpy(out, texts[i], len);
	return len;
}

#endif
