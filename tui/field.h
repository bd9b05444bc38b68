/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TUI_FIELD_H
#define FELLOE_TUI_FIELD_H

#include <stdbool.h>
#include <stddef.h>

#include "tui/screen.h"

/* A line of text that is typed. The text stays inside the struct, so that a
 * secret has no copies; field_done wipes it. */
enum { FIELD_MAX = 1024 };
struct field {
	char v[FIELD_MAX]; /* UTF-8 with NUL */
	size_t pos;        /* cursor, in bytes */
	bool secret;       /* shown as stars */
	bool shown;        /* ... unless the user wants to see it */
	bool touched;      /* typed into since field_set */
};

/* The text, cut at FIELD_MAX - 1 bytes; the cursor at its end. NULL is "". */
void field_set(struct field *f, const char *text);
void field_done(struct field *f);
/* True when the key was for the field: text, arrows, Home, End, Backspace,
 * Delete, Ctrl-U (empty), Ctrl-W (word). */
bool field_key(struct field *f, int key);
/* Pasted text: line breaks and controls are left out, never acted on. */
void field_paste(struct field *f, const char *text);
/* "[text      ]" over the span; with focus the cursor is parked in it. */
void field_draw(struct screen *s, struct span at, const struct field *f, bool focus);

#endif
