/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TESTS_SCRATCH_H
#define FELLOE_TESTS_SCRATCH_H

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/fs.h"

/* A directory for the state of one test program, gone at its end. */
static char scratch_dir[] = "/tmp/felloe-test-XXXXXX";

static inline int scratch_make(void **state)
{
	(void)state;
	if (!mkdtemp(scratch_dir))
		return -1;
	fs_set_state(scratch_dir);
	return 0;
}

static inline int scratch_remove(void **state)
{
	char *argv[] = {(char *)(uintptr_t)"rm", (char *)(uintptr_t)"-rf", scratch_dir, NULL};
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		execv("/bin/rm", argv);
		_exit(127);
	}
	fs_set_state(NULL);
	return waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

#endif
