/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/files/glob.h"

#include <stdlib.h>
#include <string.h>

#include "shared/list.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { RULE_MAX = 1000, STEPS_MAX = 200000 };

struct rule {
	char *pattern;          /* without "!", first and last "/" */
	bool negate, dir_only, tied; /* tied to the root, else any depth */
};
struct globs {
	struct { LIST_OF(struct rule); } rules;
};

struct globs *globs_new(void)
{
	return xcalloc(1, sizeof(struct globs));
}

void globs_free(struct globs *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->rules.n; i++)
		free(g->rules.v[i].pattern);
	list_done(&g->rules);
	free(g);
}

void globs_freep(struct globs **g)
{
	globs_free(*g);
}

/* the "]" of the class that begins at p ("["), or NULL */
static const char *class_end(const char *p)
{
	p++;
	if (*p == '!' || *p == '^')
		p++;
	if (*p == ']')
		p++;
	while (*p && *p != ']')
		p += *p == '\\' && p[1] ? 2 : 1;
	return *p ? p : NULL;
}

static int check_classes(const char *rule, struct err *e)
{
	for (const char *p = rule; *p; p++)
		if (*p == '\\' && p[1])
			p++;
		else if (*p == '[' && !(p = class_end(p)))
			return err_set(e, ERR_INVALID, "exclude \"%s\": a \"[\" without \"]\" (write \\[ for the "
				       "character itself)", rule);
	return 0;
}

int globs_add(struct globs *g, const char *rule, struct err *e)
{
	size_t len = strlen(rule);
	struct rule *r;

	if (len > RULE_MAX)
		return err_set(e, ERR_INVALID, "exclude \"%.40s...\" has %zu bytes, at most %d are possible", rule, len,
			       RULE_MAX);
	if (check_classes(rule, e))
		return -1;
	while (len && rule[len - 1] == ' ' && !(len > 1 && rule[len - 2] == '\\'))
		len--;
	if (len == 0 || rule[0] == '#')
		return 0;
	r = list_push(&g->rules);
	r->negate = rule[0] == '!';
	rule += r->negate;
	len -= r->negate;
	r->dir_only = len && rule[len - 1] == '/';
	len -= r->dir_only;
	r->tied = memchr(rule, '/', len) != NULL;
	if (len && rule[0] == '/') {
		rule++;
		len--;
	}
	r->pattern = xstrndup(rule, len);
	return 0;
}

void globs_add_wordpress(struct globs *g)
{
	static const char *const rules[] = {"/cache/", "/uploads/cache/", "/w3tc-config/", "/debug.log",
					    "node_modules/", ".git/"};

	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (globs_add(g, rules[i], NULL))
			return; /* not with these rules */
}

/* c against the class at p ("["..."]") */
static bool in_class(const char *p, const char *end, char c)
{
	bool negate = p[1] == '!' || p[1] == '^', found = false;
	unsigned char u = (unsigned char)c;

	p += 1 + negate;
	for (const char *first = p; p < end || p == first; p++) {
		unsigned char low, high;

		if (*p == '\\' && p + 1 < end)
			p++;
		low = high = (unsigned char)*p;
		if (p[1] == '-' && p + 2 < end) {
			p += 2;
			if (*p == '\\' && p + 1 < end)
				p++;
			high = (unsigned char)*p;
		}
		found = found || (low <= u && u <= high);
	}
	return found != negate;
}

/* The whole of s against the whole of p. budget bounds patterns like "*a*a*a*". */
static bool match(const char *p, const char *s, unsigned *budget)
{
	for (; *p; p++, s++) {
		const char *end;

		if (*budget == 0 || (--*budget, false))
			return false;
		if (p[0] == '*' && p[1] == '*' && p[2] == '/') { /* no or several directories */
			for (const char *at = s; at; at = strchr(at, '/'), at = at ? at + 1 : NULL)
				if (match(p + 3, at, budget))
					return true;
			return false;
		}
		if (p[0] == '*' && p[1] == '*' && p[2] == '\0')
			return *s != '\0';
		if (*p == '*') {
			while (p[1] == '*')
				p++;
			for (;; s++) {
				if (match(p + 1, s, budget))
					return true;
				if (*s == '\0' || *s == '/')
					return false;
			}
		}
		if (*s == '\0')
			return false;
		if (*p == '?') {
			if (*s == '/')
				return false;
		} else if (*p == '[' && (end = class_end(p))) {
			if (*s == '/' || !in_class(p, end, *s))
				return false;
			p = end;
		} else {
			if (*p == '\\' && p[1])
				p++;
			if (*p != *s)
				return false;
		}
	}
	return *s == '\0';
}

bool globs_match(const struct globs *g, const char *name, bool is_dir)
{
	const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;

	for (size_t i = g ? g->rules.n : 0; i-- > 0;) {
		const struct rule *r = &g->rules.v[i];
		unsigned budget = STEPS_MAX;

		if (r->dir_only && !is_dir)
			continue;
		if (match(r->pattern, r->tied ? name : base, &budget))
			return !r->negate;
	}
	return false;
}
