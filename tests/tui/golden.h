/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TESTS_GOLDEN_H
#define FELLOE_TESTS_GOLDEN_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/buf.h"
#include "shared/fs.h"
#include "tests/tui/dump.h"
#include "tests/unit.h"
#include "tui/screen.h"

/* The screen as text must equal GOLDEN_DIR/name.txt. With FELLOE_GOLDENS=write
 * the file is written instead ("make goldens"): review the difference. */
static inline void golden_check(const struct screen *s, const char *name)
{
	struct buf now, want;
	char path[1024];
	struct err e;

	snprintf(path, sizeof(path), "%s/%s.txt", GOLDEN_DIR, name);
	buf_init(&now, 1 << 20);
	buf_init(&want, 1 << 20);
	screen_dump(s, &now, false);
	if (getenv("FELLOE_GOLDENS")) {
		if (fs_write(path, now.p, now.len, 0644, &e))
			fail_msg("%s", e.msg);
	} else if (fs_read(&want, path, &e)) {
		fail_msg("%s (make goldens writes it)", e.msg);
	} else if (strcmp(now.p, want.p) != 0) {
		printf("# %s is now:\n%s\n# and was:\n%s\n", name, now.p, want.p);
		fail_msg("the screen %s differs from its golden file", name);
	}
	buf_done(&now);
	buf_done(&want);
}

#endif
