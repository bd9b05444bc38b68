/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TUI_TERM_H
#define FELLOE_TUI_TERM_H

#include <stdbool.h>

#include "shared/err.h"
#include "tui/screen.h"

/* The terminal: the only file that knows curses. One a process, used by one
 * thread. The terminal is put back as it was by tty_close, and by a handler of
 * SIGSEGV, SIGABRT and SIGBUS that calls nothing but tcsetattr and write. */

struct tty;

/* Takes over stdin/stdout. Refused (ERR_USAGE, with the way out) when they are
 * no terminal, or TERM is unknown or cannot place the cursor. */
int tty_open(struct tty **ret, bool colour, struct err *e) MUSTCHECK;
void tty_close(struct tty *t);
void tty_closep(struct tty **t);
/* What it can show: UTF-8 of the locale (nl_langinfo), the kernel's console, or 7 bit. */
enum glyphs tty_glyphs(void);
/* For poll(2). */
int tty_fd(const struct tty *t);
/* The size now (TIOCGWINSZ); curses follows. */
void tty_size(struct tty *t, int *rows, int *cols);
/* The next key that is there: 1 and *key (keys.h); for K_PASTE *text is lent
 * until the next call. 0: nothing more. -1: the terminal is gone. */
int tty_key(struct tty *t, int *key, const char **text);
/* Keys that came before now are dropped: they were meant for what stood there. */
void tty_drop_keys(struct tty *t);
/* Shows the screen: only cells that differ from the last one are sent. */
void tty_draw(struct tty *t, const struct screen *s);
/* The next draw sends everything. */
void tty_redraw(struct tty *t);
/* Ctrl-Z: restores the terminal, stops the process, takes over again on SIGCONT. */
void tty_suspend(struct tty *t);

#endif
