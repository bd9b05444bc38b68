/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TUI_UI_H
#define FELLOE_TUI_UI_H

#include <stdbool.h>

#include "shared/err.h"
#include "tui/session.h"

struct ui_opts {
	bool read_only, ascii, colour;
};
/* The console until the user leaves it: takes the terminal, starts the network
 * thread, and gives everything back. s (who is signed in) is taken over. */
int ui_run(struct session *s, const struct ui_opts *o, struct err *e) MUSTCHECK;

#endif
