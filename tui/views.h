/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TUI_VIEWS_H
#define FELLOE_TUI_VIEWS_H

#include "tui/app.h"

/* The screens of the console, one file each (v_*.c). */
const struct view_ops *view_login(void);
const struct view_ops *view_nodes(void);
const struct view_ops *view_approvals(void);
const struct view_ops *view_alerts(void);
const struct view_ops *view_node(void);

/* Sign-in starts with these; NULL: empty. */
void view_login_set(void *v, const char *master, const char *user, const char *pin);

#endif
