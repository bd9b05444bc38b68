/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/cmd.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "shared/buf.h"
#include "shared/fs.h"
#include "shared/list.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "tui/glyph.h"

enum { OUTPUT_MAX = 256 << 20, PAGE = 1000, LAST_MIN = 12, WIDTH = 80 };

static size_t common_options(struct opt *to, struct cmd *c)
{
	const struct opt common[] = {
		{.name = "master", .type = OPT_STR, .to = &c->master, .arg = "URL",
		 .help = "The master; else FELLOE_MASTER, else that of the last login."},
		{.name = "user", .type = OPT_STR, .to = &c->user, .arg = "NAME", .help = "Who signs in."},
		{.name = "pin", .type = OPT_STR, .to = &c->pin, .arg = "sha256//B64",
		 .help = "The public key that the master must have; no CA is asked then."},
		{.name = "json", .type = OPT_FLAG, .to = &c->json, .help = "Print JSON for machines."},
		{.name = "help", .letter = 'h', .type = OPT_FLAG, .to = &c->help, .help = "Show this help."},
	};

	memcpy(to, common, sizeof(common));
	return ARRAY_LEN(common);
}

/* Words in lines of at most 80 cells; those after the first begin at indent. */
static void print_words(const char *text, int indent)
{
	int x = 0;

	while (*text) {
		size_t n = strcspn(text, " ");

		if (x > indent && x + 1 + (int)n > WIDTH) {
			printf("\n%*s", indent, "");
			x = indent;
		} else if (x > 0 && x != indent) {
			putchar(' ');
			x++;
		}
		x += printf("%.*s", (int)n, text);
		text += n + (text[n] == ' ');
	}
	putchar('\n');
}

static void print_help(const struct cmd *c, const struct cmd_spec *spec, const struct opt *opts)
{
	CLEANUP(freep) char *usage = xasprintf("Usage: felloe %s %s", c->verb, spec->usage);

	print_words(usage, (int)strlen("Usage: felloe ") + (int)strlen(c->verb) + 1);
	print_words(spec->help, 0);
	putchar('\n');
	opt_help(opts);
}

int cmd_begin(struct cmd *c, const struct cmd_spec *spec, int argc, char **argv, struct err *e)
{
	struct opt opts[CMD_OPTS + 1] = {0};
	size_t n = 0;

	*c = (struct cmd){.verb = argv[0]};
	for (const struct opt *o = spec->more; o && o->name; o++)
		opts[n++] = *o;
	common_options(opts + n, c);
	if (opt_parse(opts, argc, argv, &c->n, e))
		return -1;
	if (c->help) {
		print_help(c, spec, opts);
		return 1;
	}
	if (c->n < spec->least || c->n > spec->most)
		return err_set(e, ERR_USAGE, "usage: felloe %s %s", c->verb, spec->usage);
	return 0;
}

int cmd_connect(struct cmd *c, struct err *e)
{
	const char *master = str_or(c->master, getenv("FELLOE_MASTER"));

	if (session_load(&c->session, e))
		return -1;
	if (!str_empty(master) && !str_eq(master, c->session.master))
		session_replace(&c->session, master, NULL, NULL);
	if (c->user && !str_eq(c->user, c->session.user))
		session_replace(&c->session, NULL, c->user, NULL);
	if (c->pin && !str_eq(c->pin, c->session.pin))
		session_replace(&c->session, NULL, NULL, c->pin);
	return session_client(&c->session, &c->client, e);
}

int cmd_call(struct cmd *c, const struct session_call *call, struct json **ret, struct err *e)
{
	struct client_reply r;
	int rc = session_do(&c->session, c->client, call, &r, e);

	if (rc == 0 && ret)
		*ret = TAKE(r.json);
	client_reply_done(&r);
	return rc;
}

void cmd_end(struct cmd *c)
{
	client_free(c->client);
	session_done(&c->session);
}

int cmd_fail(const struct cmd *c, const struct err *e)
{
	char text[ERR_MSG_MAX];

	str_cut(text, sizeof(text), e->msg);
	str_clean(text);
	fprintf(stderr, "felloe %s: %s\n", c->verb, text);
	return err_exit_code(e->kind);
}

int cmd_list(struct cmd *c, const char *path, const struct cmd_each *each, struct err *e)
{
	char cursor[256] = "";
	size_t n = 0;

	for (;;) {
		char sign = strchr(path, '?') ? '&' : '?';
		CLEANUP(freep) char *at = xasprintf("%s%climit=%d&after=%s", path, sign, PAGE, cursor);
		CLEANUP(json_freep) struct json *page = NULL;

		if (cmd_call(c, &(struct session_call){.method = "GET", .path = at}, &page, e))
			return -1;
		for (const struct json *i = json_first(json_get(page, "items")); i; i = json_next(i)) {
			if (each->most && n++ >= each->most)
				return 0;
			if (each->fn(each->ctx, i, e))
				return -1;
		}
		str_cut(cursor, sizeof(cursor), json_get_str(page, "next", ""));
		if (!cursor[0])
			return 0;
	}
}

/* ---- questions */

static void wipe(char **s)
{
	if (*s)
		mem_wipe(*s, strlen(*s));
	freep(s);
}

/* The next line of standard input; without echo on a terminal for a secret. */
static int read_line(char **ret, const char *question, bool secret, struct err *e)
{
	CLEANUP(wipe) char *line = NULL;
	bool terminal = isatty(STDIN_FILENO), quiet;
	struct termios before, silent;
	size_t cap = 0;
	ssize_t n;

	quiet = secret && terminal && tcgetattr(STDIN_FILENO, &before) == 0;
	if (terminal)
		fprintf(stderr, "%s: ", question);
	if (quiet) {
		silent = before;
		silent.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	}
	n = getline(&line, &cap, stdin);
	if (quiet) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		fputc('\n', stderr);
	}
	if (n <= 0)
		return err_set(e, ERR_ABORTED, "%s: nothing was given", question);
	line[strcspn(line, "\n")] = '\0';
	*ret = TAKE(line);
	return 0;
}

int cmd_ask(char **ret, const char *question, bool secret, struct err *e)
{
	if (!isatty(STDIN_FILENO))
		return err_set(e, ERR_USAGE, "%s: no terminal to ask at%s", question,
			       secret ? "; put it into a file (mode 600) and name that: see --help and felloe(1)" : "");
	return read_line(ret, question, secret, e);
}

int cmd_secret(char **ret, const char *file, const char *question, bool twice, struct err *e)
{
	CLEANUP(wipe) char *first = NULL, *second = NULL;

	if (str_eq(file, "-"))
		return read_line(ret, question, true, e);
	if (!str_empty(file))
		return fs_read_secret(ret, file, e);
	if (cmd_ask(&first, question, true, e) || (twice && cmd_ask(&second, "The same again", true, e)))
		return -1;
	if (twice && !str_eq(first, second))
		return err_set(e, ERR_ABORTED, "%s: the two are not the same; nothing was changed", question);
	*ret = TAKE(first);
	return 0;
}

/* ---- tables */

struct grid {
	size_t columns;
	struct {
		LIST_OF(char *);
	} cells;
};

struct grid *grid_new(const char *const *titles, size_t columns)
{
	struct grid *g = xcalloc(1, sizeof(*g));

	g->columns = columns;
	for (size_t i = 0; i < columns; i++)
		grid_cell(g, titles[i]);
	return g;
}

void grid_freep(struct grid **g)
{
	for (size_t i = 0; *g && i < (*g)->cells.n; i++)
		free((*g)->cells.v[i]);
	if (*g)
		list_done(&(*g)->cells);
	free(*g);
}

void grid_cell(struct grid *g, const char *text)
{
	char *copy = xstrdup(str_or(text, "-"));

	str_clean(copy);
	*list_push(&g->cells) = copy;
}

/* Of the terminal; 0: none, lines are as long as they are. */
static int columns_of_terminal(void)
{
	struct winsize size;

	return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* The text in at most width cells, "…" where it was cut. */
static void print_cut(const char *text, int width)
{
	const char *p = text;
	int used = 0;

	if (text_width(text) <= width) {
		puts(text);
		return;
	}
	while (*p) {
		const char *next = p;
		char one[8] = "";

		(void)utf8_next(&next);
		memcpy(one, p, (size_t)(next - p) < sizeof(one) ? (size_t)(next - p) : sizeof(one) - 1);
		if (used + text_width(one) > width - 1)
			break;
		used += text_width(one);
		p = next;
	}
	printf("%.*s…\n", (int)(p - text), text);
}

/* The last column takes what the terminal has left, but not less than is of use. */
void grid_print(const struct grid *g)
{
	CLEANUP(freep) int *widths = xcalloc(g->columns, sizeof(*widths));
	int room = columns_of_terminal(), left;

	for (size_t i = 0; i < g->cells.n; i++)
		if (text_width(g->cells.v[i]) > widths[i % g->columns])
			widths[i % g->columns] = text_width(g->cells.v[i]);
	left = room;
	for (size_t col = 0; col + 1 < g->columns; col++)
		left -= widths[col] + 2;
	if (!room)
		left = INT_MAX;
	else if (left < LAST_MIN)
		left = LAST_MIN;
	for (size_t i = 0; i < g->cells.n; i++) {
		size_t col = i % g->columns;

		if (col + 1 == g->columns)
			print_cut(g->cells.v[i], left);
		else
			printf("%s%*s", g->cells.v[i], widths[col] - text_width(g->cells.v[i]) + 2, "");
	}
}

void cmd_print_json(const struct json *value)
{
	struct json_out o;
	struct buf b;

	buf_init(&b, OUTPUT_MAX);
	json_out_init(&o, &b);
	o.pretty = true;
	json_put(&o, NULL, value);
	puts(b.p);
	buf_done(&b);
}
