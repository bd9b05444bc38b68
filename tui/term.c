/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/term.h"

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include "shared/buf.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "tui/keys.h"

enum { PASTE_MAX = 65536, CODE_PASTE_BEGIN = KEY_MAX + 1, CODE_PASTE_END, CODE_FOCUS_IN, CODE_FOCUS_OUT };

static const char modes_on[] = "\033[?2004h\033[?1004h", modes_off[] = "\033[?2004l\033[?1004l";

struct tty {
	SCREEN *screen;
	bool colour;
	bool redraw;
	struct screen last;    /* what curses was given */
	struct buf paste;
	bool pasting;
};

/* What a crash handler needs: it may call nothing but tcsetattr and write. */
static struct {
	volatile sig_atomic_t armed;
	struct termios before;
	char restore[256];
	size_t len;
} crash;

enum glyphs tty_glyphs(void)
{
	if (!str_eq(nl_langinfo(CODESET), "UTF-8"))
		return GLYPHS_ASCII;
	return str_eq(getenv("TERM"), "linux") ? GLYPHS_LINUX : GLYPHS_FULL;
}

static void write_raw(const char *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(STDOUT_FILENO, p, n);

		if (w < 0 && errno != EINTR)
			return;
		if (w > 0) {
			p += w;
			n -= (size_t)w;
		}
	}
}

static void on_crash(int sig)
{
	int saved = errno;

	if (crash.armed) {
		crash.armed = 0;
		write_raw(crash.restore, crash.len);
		tcsetattr(STDIN_FILENO, TCSANOW, &crash.before);
	}
	errno = saved;
	raise(sig); /* SA_RESETHAND: the default action now */
}

static void crash_text(const char *p)
{
	size_t n = p && p != (const char *)-1 ? strlen(p) : 0;

	if (crash.len + n < sizeof(crash.restore)) {
		memcpy(crash.restore + crash.len, p, n);
		crash.len += n;
	}
}

/* tigetstr(3x) takes char *, not const. */
static const char *capability(const char *name)
{
	char copy[16];

	str_cut(copy, sizeof(copy), name);
	return tigetstr(copy);
}

static void arm_crash_handler(void)
{
	static char stack[16384];
	stack_t alt = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction sa = {.sa_handler = on_crash, .sa_flags = SA_ONSTACK | (int)SA_RESETHAND | SA_NODEFER};
	static const int signals[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL};

	crash.len = 0;
	crash_text(modes_off);
	crash_text(capability("sgr0"));
	crash_text(capability("cnorm"));
	crash_text(capability("rmcup"));
	crash.armed = 1;
	if (sigaltstack(&alt, NULL))
		sa.sa_flags &= ~SA_ONSTACK;
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		sigaction(signals[i], &sa, NULL);
}

static bool can(const char *name)
{
	const char *c = capability(name);

	return c && c != (const char *)-1;
}

static void setup_modes(struct tty *t)
{
	struct termios tio;

	raw();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	leaveok(stdscr, FALSE);
	if (str_empty(getenv("ESCDELAY")))
		set_escdelay(25);
	if (tcgetattr(STDIN_FILENO, &tio) == 0) {
		tio.c_iflag &= ~(tcflag_t)(IXON | IXOFF); /* Ctrl-S is a key, not a frozen screen */
		tcsetattr(STDIN_FILENO, TCSANOW, &tio);
		def_prog_mode();
	}
	define_key("\033[200~", CODE_PASTE_BEGIN);
	define_key("\033[201~", CODE_PASTE_END);
	define_key("\033[I", CODE_FOCUS_IN);
	define_key("\033[O", CODE_FOCUS_OUT);
	write_raw(modes_on, sizeof(modes_on) - 1);
	if (t->colour && has_colors() && start_color() == OK && use_default_colors() == OK && COLORS >= 8) {
		static const short colours[] = {-1, COLOR_RED, COLOR_GREEN, COLOR_YELLOW, COLOR_BLUE, COLOR_MAGENTA,
						COLOR_CYAN};

		for (short i = 1; i < (short)ARRAY_LEN(colours); i++)
			init_pair(i, colours[i], -1);
	} else {
		t->colour = false;
	}
}

int tty_open(struct tty **ret, bool colour, struct err *e)
{
	const char *name = str_or(getenv("TERM"), "");
	struct tty *t;
	SCREEN *screen;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return err_set(e, ERR_USAGE, "the console needs a terminal; in a script use the verbs: felloe --help");
	if (tcgetattr(STDIN_FILENO, &crash.before))
		return err_sys(e, ERR_IO, "read the terminal's settings");
	screen = newterm(NULL, stdout, stdin);
	if (!screen)
		return err_set(e, ERR_USAGE, "TERM=\"%s\" is not known here; try TERM=xterm-256color felloe, "
			       "or the verbs: felloe --help", name);
	if (!can("cup") || !can("clear")) {
		endwin();
		delscreen(screen);
		return err_set(e, ERR_USAGE, "TERM=\"%s\" cannot place the cursor; try TERM=xterm-256color felloe, "
			       "or the verbs: felloe --help", name);
	}
	t = xcalloc(1, sizeof(*t));
	t->screen = screen;
	t->colour = colour;
	t->redraw = true;
	buf_init(&t->paste, PASTE_MAX);
	screen_init(&t->last, GLYPHS_FULL);
	setup_modes(t);
	arm_crash_handler();
	*ret = t;
	return 0;
}

void tty_close(struct tty *t)
{
	if (!t)
		return;
	crash.armed = 0;
	write_raw(modes_off, sizeof(modes_off) - 1);
	endwin();
	delscreen(t->screen);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &crash.before);
	screen_done(&t->last);
	if (t->paste.p)
		mem_wipe(t->paste.p, t->paste.len);
	buf_done(&t->paste);
	free(t);
}

void tty_closep(struct tty **t)
{
	tty_close(*t);
}

int tty_fd(const struct tty *t)
{
	(void)t;
	return STDIN_FILENO;
}

void tty_size(struct tty *t, int *rows, int *cols)
{
	struct winsize ws;

	*rows = LINES;
	*cols = COLS;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) || ws.ws_row == 0 || ws.ws_col == 0)
		return;
	*rows = ws.ws_row;
	*cols = ws.ws_col;
	if (*rows != LINES || *cols != COLS) {
		resizeterm(*rows, *cols);
		t->redraw = true;
	}
}

static int translate(int code)
{
	static const struct {
		int curses, ours;
	} keys[] = {
		{KEY_UP, K_UP},       {KEY_DOWN, K_DOWN},    {KEY_LEFT, K_LEFT},       {KEY_RIGHT, K_RIGHT},
		{KEY_PPAGE, K_PGUP},  {KEY_NPAGE, K_PGDN},   {KEY_HOME, K_HOME},       {KEY_END, K_END},
		{KEY_DC, K_DELETE},   {KEY_BTAB, K_BACKTAB}, {KEY_BACKSPACE, K_BACKSPACE}, {KEY_ENTER, K_ENTER},
		{KEY_F(1), K_F1},     {CODE_FOCUS_IN, K_FOCUS_IN}, {CODE_FOCUS_OUT, K_FOCUS_OUT},
	};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (keys[i].curses == code)
			return keys[i].ours;
	return K_OTHER;
}

/* One code of a paste; true when the paste is over. */
static bool paste_code(struct tty *t, int kind, wint_t c)
{
	char text[5];

	if (kind == KEY_CODE_YES)
		return c == CODE_PASTE_END;
	utf8_put(text, (uint32_t)c);
	buf_adds(&t->paste, text);
	return false;
}

/* A read of 0 bytes or an error that is not "nothing there". */
static bool gone(void)
{
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
	int n;

	if (poll(&p, 1, 0) <= 0)
		return false;
	if (p.revents & (POLLHUP | POLLERR | POLLNVAL))
		return true;
	return (p.revents & POLLIN) && (ioctl(STDIN_FILENO, FIONREAD, &n) || n == 0);
}

int tty_key(struct tty *t, int *key, const char **text)
{
	wint_t c;
	int kind;

	*text = NULL;
	while ((kind = get_wch(&c)) != ERR) {
		if (t->pasting) {
			if (!paste_code(t, kind, c))
				continue;
			t->pasting = false;
			*key = K_PASTE;
			*text = t->paste.p ? t->paste.p : "";
			return 1;
		}
		if (kind == KEY_CODE_YES && c == CODE_PASTE_BEGIN) {
			if (t->paste.p)
				mem_wipe(t->paste.p, t->paste.len);
			buf_reset(&t->paste);
			t->pasting = true;
			continue;
		}
		if (kind == KEY_CODE_YES && c == KEY_RESIZE)
			continue;
		*key = kind == KEY_CODE_YES ? translate((int)c) : c == 8 ? K_BACKSPACE : c == '\n' ? K_ENTER : (int)c;
		return 1;
	}
	return gone() ? -1 : 0;
}

void tty_drop_keys(struct tty *t)
{
	(void)t;
	flushinp();
}

static void set_look(const struct tty *t, unsigned style)
{
	struct look look = theme_look(style, t->colour);
	attr_t a = A_NORMAL;

	a |= look.bold ? A_BOLD : 0;
	a |= look.dim ? A_DIM : 0;
	a |= look.reverse ? A_REVERSE : 0;
	a |= look.underline ? A_UNDERLINE : 0;
	attr_set(a, (short)look.colour, NULL);
}

static void draw_cell(const struct tty *t, const struct screen *s, int y, int x)
{
	const struct cell *c = screen_cell(s, y, x);

	if (c->width == 0)
		return;
	set_look(t, c->style);
	mvaddnstr(y, x, c->text[0] ? c->text : " ", -1);
}

void tty_draw(struct tty *t, const struct screen *s)
{
	bool all = t->redraw || t->last.rows != s->rows || t->last.cols != s->cols;

	if (all) {
		screen_resize(&t->last, s->rows, s->cols);
		erase();
		clearok(stdscr, t->redraw);
	}
	for (int y = 0; y < s->rows; y++)
		for (int x = 0; x < s->cols; x++)
			if (all || !cell_same(screen_cell(&t->last, y, x), screen_cell(s, y, x)))
				draw_cell(t, s, y, x);
	memcpy(t->last.cells, s->cells, (size_t)s->rows * (size_t)s->cols * sizeof(*s->cells));
	t->redraw = false;
	curs_set(s->cur_show ? 1 : 0);
	move(s->cur_y, s->cur_x);
	refresh();
}

void tty_redraw(struct tty *t)
{
	t->redraw = true;
}

void tty_suspend(struct tty *t)
{
	write_raw(modes_off, sizeof(modes_off) - 1);
	endwin();
	tcsetattr(STDIN_FILENO, TCSADRAIN, &crash.before);
	kill(getpid(), SIGSTOP);
	reset_prog_mode();
	write_raw(modes_on, sizeof(modes_on) - 1);
	t->redraw = true;
}
