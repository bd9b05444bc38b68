/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/opt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "shared/buf.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { NAMES_MAX = 64, COLUMNS = 80, HELP_COLUMN = 28 };

/* where parsing stands */
struct parse {
	const struct opt *opts;
	char **argv;
	int argc, at; /* at: the argument after the one in work */
	struct err *e;
};

static bool is_end(const struct opt *o)
{
	return !o->name && !o->letter;
}

static int unknown_long(const struct parse *p, const char *name)
{
	const char *names[NAMES_MAX], *near;
	size_t n = 0;

	for (const struct opt *o = p->opts; !is_end(o) && n < NAMES_MAX; o++)
		if (o->name)
			names[n++] = o->name;
	near = str_nearest(name, names, n);
	if (near)
		return err_set(p->e, ERR_USAGE, "unknown option --%s; did you mean --%s?", name, near);
	return err_set(p->e, ERR_USAGE, "unknown option --%s; --help lists the options", name);
}

static int set_number(const struct parse *p, const struct opt *o, const char *value)
{
	if (str_to_u64(o->to, value, o->min, o->max))
		return err_set(p->e, ERR_USAGE, "--%s must be a whole number from %llu to %llu, not \"%s\"", o->name,
			       (unsigned long long)o->min, (unsigned long long)o->max, value);
	return 0;
}

static int set_value(const struct parse *p, const struct opt *o, const char *value)
{
	struct opt_list *list = o->to;

	switch (o->type) {
	case OPT_STR:
		*(const char **)o->to = value;
		return 0;
	case OPT_LIST:
		if (list->n == ARRAY_LEN(list->v))
			return err_set(p->e, ERR_USAGE, "--%s may be given %zu times at most", o->name, list->n);
		list->v[list->n++] = value;
		return 0;
	default:
		return set_number(p, o, value);
	}
}

/* The option o, with what stands attached to it ("=VALUE"), or NULL. */
static int apply(struct parse *p, const struct opt *o, const char *attached)
{
	if (o->given)
		*o->given = true;
	if (o->type == OPT_FLAG) {
		if (attached)
			return err_set(p->e, ERR_USAGE, "--%s takes no value", o->name);
		if (o->to)
			*(bool *)o->to = true;
		return 0;
	}
	if (o->type == OPT_WAIT)
		return attached ? set_number(p, o, attached) : 0;
	if (attached)
		return set_value(p, o, attached);
	if (p->at == p->argc)
		return err_set(p->e, ERR_USAGE, "--%s needs a value: --%s %s", o->name, o->name,
			       str_or(o->arg, "VALUE"));
	return set_value(p, o, p->argv[p->at++]);
}

static int parse_long(struct parse *p, const char *arg)
{
	const char *equals = strchr(arg, '=');
	CLEANUP(freep) char *name = equals ? xstrndup(arg, (size_t)(equals - arg)) : xstrdup(arg);

	for (const struct opt *o = p->opts; !is_end(o); o++)
		if (str_eq(o->name, name))
			return apply(p, o, equals ? equals + 1 : NULL);
	return unknown_long(p, name);
}

static const struct opt *by_letter(const struct opt *opts, char letter)
{
	for (const struct opt *o = opts; !is_end(o); o++)
		if (o->letter == letter)
			return o;
	return NULL;
}

/* "-v", "-qv", "-cFILE", "-c FILE" */
static int parse_letters(struct parse *p, const char *letters)
{
	while (*letters) {
		const struct opt *o = by_letter(p->opts, *letters);

		if (!o)
			return err_set(p->e, ERR_USAGE, "unknown option -%c; --help lists the options", *letters);
		letters++;
		if (o->type != OPT_FLAG && *letters)
			return apply(p, o, letters + (*letters == '='));
		if (apply(p, o, NULL))
			return -1;
	}
	return 0;
}

int opt_parse(const struct opt *opts, int argc, char **argv, int *n_operands, struct err *e)
{
	struct parse p = {.opts = opts, .argv = argv, .argc = argc, .at = 1, .e = e};
	bool ended = false;
	int n = 0;

	while (p.at < argc) {
		char *arg = argv[p.at++];

		if (ended || arg[0] != '-' || !arg[1]) {
			argv[++n] = arg;
			continue;
		}
		if (str_eq(arg, "--"))
			ended = true;
		else if (arg[1] == '-' ? parse_long(&p, arg + 2) : parse_letters(&p, arg + 1))
			return -1;
	}
	*n_operands = n;
	return 0;
}

/* text from column on (b stands at it), broken at blanks before column 80 */
static void add_wrapped(struct buf *b, const char *text, size_t column)
{
	size_t at = column;

	while (*text) {
		size_t word = strcspn(text, " ");

		if (at > column && at + 1 + word >= COLUMNS) {
			buf_addf(b, "\n%*s", (int)column, "");
			at = column;
		} else if (at > column) {
			buf_addc(b, ' ');
			at++;
		}
		buf_add(b, text, word);
		at += word;
		text += word;
		text += strspn(text, " ");
	}
	buf_addc(b, '\n');
}

static void add_option(struct buf *b, const struct opt *o)
{
	size_t from = b->len, width;

	if (o->letter)
		buf_addf(b, "  -%c, --%s", o->letter, o->name);
	else
		buf_addf(b, "      --%s", o->name);
	if (o->type == OPT_WAIT)
		buf_addf(b, "[=%s]", str_or(o->arg, "SECONDS"));
	else if (o->type != OPT_FLAG)
		buf_addf(b, " %s", str_or(o->arg, "VALUE"));
	width = b->len - from;
	if (width + 2 > HELP_COLUMN)
		buf_addf(b, "\n%*s", HELP_COLUMN, "");
	else
		buf_addf(b, "%*s", (int)(HELP_COLUMN - width), "");
	add_wrapped(b, o->help, HELP_COLUMN);
}

void opt_help(const struct opt *opts)
{
	CLEANUP(buf_done) struct buf b;

	buf_init(&b, 65536);
	for (const struct opt *o = opts; !is_end(o); o++)
		add_option(&b, o);
	fputs(b.p, stdout);
}

const struct verb *verb_find(const struct verb *verbs, const char *name, const char **nearest)
{
	const char *names[NAMES_MAX];
	size_t n = 0;

	for (const struct verb *v = verbs; v->name; v++) {
		if (str_eq(v->name, name))
			return v;
		if (n < NAMES_MAX)
			names[n++] = v->name;
	}
	*nearest = str_nearest(name, names, n);
	return NULL;
}

void verb_help(const struct verb *verbs, const char *program, const char *summary)
{
	CLEANUP(buf_done) struct buf b;

	buf_init(&b, 65536);
	add_wrapped(&b, summary, 0);
	buf_addf(&b, "\nUsage: %s VERB [...]\n\n", program);
	for (const struct verb *v = verbs; v->name; v++) {
		size_t from = b.len;

		buf_addf(&b, "  %s%s%s", v->name, str_empty(v->usage) ? "" : " ", str_or(v->usage, ""));
		if (b.len - from + 2 > HELP_COLUMN)
			buf_addf(&b, "\n%*s", HELP_COLUMN, "");
		else
			buf_addf(&b, "%*s", (int)(HELP_COLUMN - (b.len - from)), "");
		add_wrapped(&b, v->help, HELP_COLUMN);
	}
	fputs(b.p, stdout);
}

int verb_end(const char *program, int status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	fprintf(stderr, "%s: what was to be printed is not written: %s\n", program, strerror(errno ? errno : EIO));
	return status ? status : err_exit_code(ERR_IO);
}
