/* SPDX-License-Identifier: Apache-2.0 */
/* A target of tests/fuzz/fuzz.h for libFuzzer (clang -fsanitize=fuzzer). */
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_begin();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	fuzz_one(p, n);
	return 0;
}
