/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TUI_FORM_H
#define FELLOE_TUI_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "tui/field.h"
#include "tui/screen.h"

/* A form: fields, check boxes and choices one below the other, buttons in the
 * last row. It scrolls when the place is low, and the buttons stay in view. The
 * values belong to the caller and keep through every resize. */

enum item_type {
	ITEM_TEXT,   /* a line that cannot be focused; "" is an empty line */
	ITEM_FIELD,
	ITEM_CHECK,  /* [x] label */
	ITEM_CHOICE, /* (•) label: one of those that share the same int */
	ITEM_BUTTON, /* < label > */
};

struct form_item {
	enum item_type type;
	const char *label;   /* lent */
	int id;              /* what form_key reports for a button or a changed item */
	struct field *field; /* ITEM_FIELD */
	int width;           /* of the field with its brackets; 0: to the right edge */
	bool *check;         /* ITEM_CHECK */
	int *choice;         /* ITEM_CHOICE: set to value when chosen */
	int value;
	bool is_default;     /* ITEM_BUTTON: drawn as [ label ] */
	bool off;            /* cannot be focused, dim */
	const char *error;   /* lent; shown below the item; NULL: none */
	const char *note;    /* lent; dim text right of a field; NULL: none */
	enum style style;    /* of ITEM_TEXT */
};

enum { FORM_ITEMS = 48 };
struct form {
	struct form_item items[FORM_ITEMS];
	size_t n;
	size_t focus;    /* index; an item that can be focused */
	int label_width; /* cells before the fields; 0: the longest label + 1 */
	int top;         /* lines scrolled away; the form's own */
	bool enter_presses; /* Enter in the last field presses the first button */
};

enum form_result {
	FORM_IGNORED, /* not a key of the form */
	FORM_USED,
	FORM_CHANGED, /* a value changed: items[focus] */
	FORM_PRESSED, /* the button items[focus] */
};

/* A new last item, zeroed but for what is given; lent until the next reset. */
struct form_item *form_add(struct form *f, enum item_type type, const char *label, int id);
/* No items, focus at the first; label_width and enter_presses stay. */
void form_reset(struct form *f);
/* Puts the focus on the item with this id, when it can be focused. */
void form_focus(struct form *f, int id);
/* Enter in a field goes to the next one; Tab, Shift-Tab, arrows move; Space or
 * Enter presses a button, flips a check box, takes a choice. text: of K_PASTE. */
enum form_result form_key(struct form *f, int key, const char *text);
/* Draws into r and parks the cursor at the focus. */
void form_draw(struct screen *s, struct rect r, struct form *f);
/* Lines that all of it takes, with the row of buttons and errors. */
int form_height(const struct form *f);

#endif
