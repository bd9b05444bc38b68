/* SPDX-License-Identifier: Apache-2.0 */
/* A short run of a fuzz target without any fuzzer: its seeds, and changes of them
 * by a fixed row of numbers, so that each run is the same. TAP.
 *   smoke [CHANGES]          so many of each seed (60)
 *   smoke --seeds DIR        write the seeds as files, for a real fuzzer */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/fs.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "tests/fuzz/fuzz.h"

enum { INPUT_MAX = 16384, CHANGES = 60 };

/* xorshift64* (Vigna 2016) */
static uint32_t next_number(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)((*state * UINT64_C(2685821657736338717)) >> 32);
}

/* One change: a byte, a piece doubled, cut out, or replaced by a word that parsers stumble over. */
static size_t change(uint8_t *p, size_t n, uint64_t *state)
{
	static const char *const words[] = {"null", "[]", "{}", "-1", "1e999", "\"\"", "\"\\u0000\"", "99999999999999999999", "\\ud800",
					    "true", "[[[[[[[[", "\xff\xfe", "\"a\":1,\"a\":2"};
	size_t at = n > 3 ? 3 + next_number(state) % (n - 3) : 0, len = 1 + next_number(state) % 16;
	const char *word = words[next_number(state) % (sizeof(words) / sizeof(words[0]))];

	if (at + len > n)
		len = n - at;
	switch (next_number(state) % 4) {
	case 0:
		p[at] = (uint8_t)next_number(state);
		return n;
	case 1:
		memmove(p + at, p + at + len, n - at - len);
		return n - len;
	case 2:
		if (n + len > INPUT_MAX)
			return n;
		memmove(p + at + len, p + at, n - at);
		return n + len;
	default:
		len = strlen(word);
		if (at + len > n)
			n = at + len;
		memcpy(p + at, word, len);
		return n;
	}
}

static int write_seeds(const char *dir)
{
	static uint8_t seed[INPUT_MAX];
	size_t n;

	for (size_t i = 0; (n = fuzz_seed(i, seed, sizeof(seed))); i++) {
		CLEANUP(freep) char *path = xasprintf("%s/seed-%zu", dir, i);
		struct err e;

		if (fs_write(path, seed, n, 0600, &e)) {
			fprintf(stderr, "%s\n", e.msg);
			return 1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	static uint8_t seed[INPUT_MAX], input[INPUT_MAX + 64];
	uint64_t changes = CHANGES, state = 88172645463325252U, runs = 0;
	size_t n;

	if (argc == 3 && str_eq(argv[1], "--seeds"))
		return write_seeds(argv[2]);
	if (argc == 2 && str_to_u64(&changes, argv[1], 0, 1000000))
		return 2;
	fuzz_begin();
	for (size_t i = 0; (n = fuzz_seed(i, seed, sizeof(seed))); i++) {
		fuzz_one(seed, n);
		for (uint64_t k = 0; k < changes; k++) {
			size_t len = n;

			memcpy(input, seed, n);
			for (uint32_t c = next_number(&state) % 4 + 1; c && len > 4; c--)
				len = change(input, len, &state);
			fuzz_one(input, len);
			runs++;
		}
	}
	printf("ok 1 - no input does harm\n# %llu inputs\n1..1\n", (unsigned long long)runs);
	return 0;
}
