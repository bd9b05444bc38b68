/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TUI_KEYS_H
#define FELLOE_TUI_KEYS_H

/* Keys as the views see them: a Unicode code point (Ctrl-A to Ctrl-Z are 1 to
 * 26, Esc is 27), or one of these. */
enum {
	K_ENTER = 13,
	K_TAB = 9,
	K_ESC = 27,
	K_SPACE = 32,
	K_BACKSPACE = 127,
	K_UP = 0x110000,
	K_DOWN,
	K_LEFT,
	K_RIGHT,
	K_PGUP,
	K_PGDN,
	K_HOME,
	K_END,
	K_DELETE,
	K_BACKTAB,
	K_F1,
	K_PASTE, /* the text stands beside the key */
	K_FOCUS_IN,
	K_FOCUS_OUT,
	K_OTHER, /* known to the terminal, not to us */
};
#define K_CTRL(c) ((c) & 0x1F)

#endif
