/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/account.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "noded/site.h"
#include "shared/buf.h"
#include "shared/fs.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { FILE_MAX = 256 << 10 };

struct fields {
	char *user, *password, *host, *port, *socket, *ssl_ca;
};

static void fields_done(struct fields *f)
{
	if (f->password)
		mem_wipe(f->password, strlen(f->password));
	free(f->user);
	free(f->password);
	free(f->host);
	free(f->port);
	free(f->socket);
	free(f->ssl_ca);
}

static char *trim(char *s)
{
	char *end;

	s += strspn(s, " \t");
	end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		*--end = '\0';
	return s;
}

static bool our_group(const char *name)
{
	static const char *const groups[] = {"client", "client-server", "client-mariadb", "mysql", "mariadb"};

	for (size_t i = 0; i < ARRAY_LEN(groups); i++)
		if (str_eq(name, groups[i]))
			return true;
	return false;
}

/* Quotes round a value are no part of it; without them " #" begins a comment.
 * Backslash escapes as in the manual of my_print_defaults: \\ \n \t \s. */
static char *value_of(char *text)
{
	char quote = *text == '"' || *text == '\'' ? *text : 0;
	char *ret, *to;

	if (quote && strlen(text) > 1 && text[strlen(text) - 1] == quote) {
		text[strlen(text) - 1] = '\0';
		text++;
	} else {
		char *comment = strstr(text, " #");

		if (comment)
			*comment = '\0';
		text = trim(text);
	}
	ret = to = xstrdup(text);
	for (const char *p = ret; *p; p++) {
		static const char from[] = "\\nts\"'", meant[] = "\\\n\t \"'";
		const char *known = *p == '\\' && p[1] ? strchr(from, p[1]) : NULL;

		*to++ = known ? meant[known - from] : *p;
		p += known != NULL;
	}
	*to = '\0';
	return ret;
}

static void take_option(struct fields *f, char *line)
{
	const struct { const char *name; char **to; } known[] = {
		{"user", &f->user}, {"password", &f->password}, {"host", &f->host}, {"port", &f->port},
		{"socket", &f->socket}, {"ssl-ca", &f->ssl_ca}, {"ssl_ca", &f->ssl_ca},
	};
	char *equal = strchr(line, '=');
	char *name;

	if (!equal)
		return;
	*equal = '\0';
	name = trim(line);
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (!str_eq(name, known[i].name))
			continue;
		free(*known[i].to);
		*known[i].to = value_of(trim(equal + 1));
	}
}

static char *take(char **field)
{
	return *field ? TAKE(*field) : xstrdup("");
}

static int account_from_text(struct db_access *ret, const char *text, const char *path, struct err *e)
{
	CLEANUP(fields_done) struct fields f = {0};
	CLEANUP(freep) char *copy = xstrdup(text);
	bool ours = false;
	unsigned number = 0;
	char *rest = copy;

	for (char *line; (line = strsep(&rest, "\n"));) {
		char *end;

		number++;
		line = trim(line);
		if (!*line || *line == '#' || *line == ';' || *line == '!')
			continue;
		if (*line == '[') {
			end = strchr(line, ']');
			if (!end)
				return err_set(e, ERR_INVALID, "%s: line %u: a group without \"]\"", path, number);
			*end = '\0';
			ours = our_group(trim(line + 1));
		} else if (ours) {
			take_option(&f, line);
		}
	}
	mem_wipe(copy, strlen(text));
	if (str_empty(f.user))
		return err_set(e, ERR_CONFIG, "%s: no user in a group [client]", path);
	*ret = (struct db_access){.user = take(&f.user), .password = take(&f.password), .ssl_ca = take(&f.ssl_ca)};
	ret->ssl = xstrdup(*ret->ssl_ca ? "verify" : "prefer");
	if (!str_empty(f.socket))
		ret->host = xasprintf("localhost:%s", f.socket);
	else if (!str_empty(f.port))
		ret->host = xasprintf("%s:%s", str_or(f.host, "127.0.0.1"), f.port);
	else
		ret->host = take(&f.host);
	return 0;
}

static void text_done(struct buf *b)
{
	if (b->len)
		mem_wipe(b->p, b->len);
	buf_done(b);
}

int account_from_file(struct db_access *ret, const char *path, struct err *e)
{
	CLEANUP(text_done) struct buf text = {0};

	buf_init(&text, FILE_MAX);
	if (fs_read(&text, path, e))
		return -1;
	return account_from_text(ret, text.p, path, e);
}
