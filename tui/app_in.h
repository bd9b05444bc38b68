/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TUI_APP_IN_H
#define FELLOE_TUI_APP_IN_H

#include "tui/app.h"

/* The inside of app; for app.c and app_draw.c alone. */

/* True when nothing may change now; why in *why (lent). */
bool app_locked(const struct app *a, const char **why);
/* What every screen understands; NULL where nobody is signed in. */
const struct binding *app_common_keys(const struct app *a);

#endif
