/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TUI_DECIDE_H
#define FELLOE_TUI_DECIDE_H

#include "tui/app.h"

/* The three decisions about a node, each a question first. The node is bound
 * when the key is pressed. */
void decide_approve(struct app *a, const struct node *n);
void decide_block(struct app *a, const struct node *n);
void decide_unblock(struct app *a, const struct node *n);
/* Yes was said in the app's dialog: sends it. */
void decide_confirmed(struct app *a, struct dialog *d);
/* Says how it went; for the answers of the tags above. */
void decide_answer(struct app *a, const struct net_answer *ans);

#endif
