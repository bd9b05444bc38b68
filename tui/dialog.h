/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TUI_DIALOG_H
#define FELLOE_TUI_DIALOG_H

#include <stdbool.h>

#include "tui/form.h"
#include "tui/screen.h"

/* A question before something changes: what, where, consequence, way back. The
 * default is Cancel and Enter alone never says yes: the button must be reached
 * by Tab (and a name typed, where asked). */

enum { DIALOG_LINES = 8, DIALOG_TEXT = 256 };
struct dialog {
	bool open;
	char title[64];
	char verb[24];                       /* of the button: "Block" */
	char lines[DIALOG_LINES][DIALOG_TEXT];
	int n_lines;
	char ask[64];                        /* label of a text that is needed; "" none */
	char type_this[DIALOG_TEXT];         /* must be typed to go on; "" none */
	char type_label[64];                 /* "Type the node's name to go on" */
	char off[128];                       /* why yes is not possible now; "" */
	char problem[128];                   /* why the last try was refused */
	struct field answer, typed;
	struct form form;
	int tag;                             /* the caller's: what is being asked */
	uint64_t id;                         /* the caller's: which thing, bound when the key was pressed */
};

enum dialog_result { DIALOG_OPEN, DIALOG_YES, DIALOG_NO };

/* Empties *d and sets title and verb; then add lines and demands, then dialog_open. */
void dialog_init(struct dialog *d, const char *title, const char *verb);
void dialog_line(struct dialog *d, const char *fmt, ...) PRINTF(2, 3);
/* Shows it, the focus on the first field or else on Cancel. */
void dialog_open(struct dialog *d);
/* Closes and wipes what was typed. */
void dialog_close(struct dialog *d);
/* YES only with every demand met; then the caller reads answer and closes. */
enum dialog_result dialog_key(struct dialog *d, int key, const char *text);
/* Centred over what is drawn. */
void dialog_draw(struct screen *s, struct dialog *d);

#endif
