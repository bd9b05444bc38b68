/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/site.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "noded/wpconfig.h"
#include "shared/fs.h"
#include "shared/mem.h"
#include "shared/str.h"

enum {
	DEPTH_MAX = 6,
	DIRS_MAX = 200000, /* directories looked into before we give up */
};

/* ---- the database of one site */

static void take_field(char **field, const char *from_config, const struct php_value *value)
{
	*field = xstrdup(*from_config || !value->text ? from_config : value->text);
}

/* Why the constant is of no use, and what to do. */
static int constant_missing(const struct site *s, const struct wp_config *w, enum wp_constant which, const char *key,
			    struct err *e)
{
	const struct php_value *v = &w->constants[which];

	if (v->line)
		return err_set(e, ERR_CONFIG, "site %s: %s (%s, line %u) %s; give %s in the configuration", s->name,
			       wp_constant_name(which), s->wp_config_path, v->line, v->why, key);
	if (w->include_line)
		return err_set(e, ERR_CONFIG,
			       "site %s: %s does not define %s; line %u reads another file, which is not followed: "
			       "give %s in the configuration", s->name, s->wp_config_path, wp_constant_name(which),
			       w->include_line, key);
	return err_set(e, ERR_CONFIG, "site %s: %s does not define %s; give %s in the configuration", s->name,
		       s->wp_config_path, wp_constant_name(which), key);
}

static bool unusable(const char *from_config, const struct php_value *v)
{
	return !*from_config && !v->text;
}

int site_db(struct db_access *ret, char **db_name, const struct site *s, struct err *e)
{
	CLEANUP(wp_config_done) struct wp_config w = {0};
	bool complete = *s->db_name && *s->db.user;

	if (!*s->db_name && !*s->wp_config_path) {
		*ret = (struct db_access){.host = xstrdup(s->db.host), .user = xstrdup(s->db.user),
					  .password = xstrdup(s->db.password), .ssl = xstrdup(s->db.ssl),
					  .ssl_ca = xstrdup(s->db.ssl_ca)};
		*db_name = xstrdup("");
		return 0;
	}
	if (*s->wp_config_path && !(complete && *s->db.password && *s->db.host)) {
		if (wp_config_read(&w, s->wp_config_path, e)) {
			if (!complete)
				return err_wrap(e, "site %s", s->name);
			w = (struct wp_config){0};
		} else if (unusable(s->db_name, &w.constants[WP_DB_NAME])) {
			return constant_missing(s, &w, WP_DB_NAME, "db_name", e);
		} else if (unusable(s->db.user, &w.constants[WP_DB_USER])) {
			return constant_missing(s, &w, WP_DB_USER, "db_user", e);
		} else if (!*s->db.user && unusable(s->db.password, &w.constants[WP_DB_PASSWORD])) {
			return constant_missing(s, &w, WP_DB_PASSWORD, "db_password", e);
		} else if (w.constants[WP_DB_HOST].line && unusable(s->db.host, &w.constants[WP_DB_HOST])) {
			return constant_missing(s, &w, WP_DB_HOST, "db_host", e);
		}
	}
	*ret = (struct db_access){.ssl = xstrdup(s->db.ssl), .ssl_ca = xstrdup(s->db.ssl_ca)};
	take_field(db_name, s->db_name, &w.constants[WP_DB_NAME]);
	take_field(&ret->host, s->db.host, &w.constants[WP_DB_HOST]);
	take_field(&ret->user, s->db.user, &w.constants[WP_DB_USER]);
	/* another user's password is of no use: only together with the user of the file */
	if (*s->db.user && !*s->db.password && !str_eq(s->db.user, w.constants[WP_DB_USER].text))
		ret->password = xstrdup("");
	else
		take_field(&ret->password, s->db.password, &w.constants[WP_DB_PASSWORD]);
	return 0;
}

void db_access_done(struct db_access *a)
{
	if (a->password)
		mem_wipe(a->password, strlen(a->password));
	free(a->host);
	free(a->user);
	free(a->password);
	free(a->ssl);
	free(a->ssl_ca);
	*a = (struct db_access){0};
}

/* ---- discovery */

struct search {
	struct found_sites *out;
	size_t dirs;
};

static const char *const default_dirs[] = {"/var/www", "/srv"};
/* Where no site's root lies, or too many files for nothing. */
static const char *const passed_over[] = {"wp-content", "wp-includes", "wp-admin", "node_modules", "vendor", "cache",
					  "proc", "sys", "dev"};

/* Directories that say nothing about whose site it is. */
static bool common_name(const char *s)
{
	static const char *const names[] = {"public_html", "htdocs", "html", "www", "httpdocs", "web", "public",
					    "current", "wordpress", "wp", "app", "site", "live", "docroot"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_ieq(s, names[i]))
			return true;
	return false;
}

static bool name_taken(const struct found_sites *f, const char *name)
{
	for (size_t i = 0; i + 1 < f->n; i++)
		if (str_eq(f->v[i].name, name))
			return true;
	return false;
}

/* A name from the last telling part of the directory's path. */
static char *make_name(const struct found_sites *f, const char *dir)
{
	CLEANUP(freep) char *path = xstrdup(dir);
	char *last = strrchr(path, '/');
	char *name;

	while (last && last != path && common_name(last + 1)) {
		*last = '\0';
		last = strrchr(path, '/');
	}
	last = last && last[1] ? last + 1 : path;
	if (common_name(last) || *last == '/' || !*last)
		last = strrchr(dir, '/') + 1;
	name = xstrndup(last, 56);
	for (char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && (c == name || !strchr("._-", *c)))
			*c = c == name ? 'x' : '-';
	if (!str_is_name(name)) {
		free(name);
		name = xstrdup("site");
	}
	for (unsigned i = 2; name_taken(f, name); i++) {
		char *stem = xstrndup(name, i == 2 ? strlen(name) : (size_t)(strrchr(name, '-') - name));

		free(name);
		name = xasprintf("%s-%u", stem, i);
		free(stem);
	}
	return name;
}

static bool is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static char *text_of(const struct php_value *v)
{
	return xstrdup(v->text ? v->text : "");
}

/* WordPress also finds its wp-config.php one directory above itself. */
static char *content_of(const char *dir, const struct wp_config *w)
{
	static const char *const places[] = {"wp-content", "public/wp-content", "public_html/wp-content",
					     "htdocs/wp-content", "html/wp-content", "wordpress/wp-content",
					     "web/wp-content"};
	const char *given = w->constants[WP_CONTENT_DIR].text;

	if (given && *given == '/' && is_dir(given))
		return xstrdup(given);
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		char *path = xasprintf("%s/%s", dir, places[i]);

		if (is_dir(path))
			return path;
		free(path);
	}
	return xstrdup("");
}

static void add_site(struct search *s, const char *dir)
{
	CLEANUP(wp_config_done) struct wp_config w = {0};
	struct found_site *site = list_push(s->out);
	struct err e = {0};

	site->name = make_name(s->out, dir);
	site->wp_config_path = xasprintf("%s/wp-config.php", dir);
	if (wp_config_read(&w, site->wp_config_path, &e))
		site->problem = xstrdup(e.msg);
	else if (!w.constants[WP_DB_NAME].text)
		site->problem = xasprintf("DB_NAME %s", w.constants[WP_DB_NAME].line ? w.constants[WP_DB_NAME].why
								    : "is not defined in it");
	else
		site->problem = xstrdup("");
	site->wp_content_path = content_of(dir, &w);
	site->db_name = text_of(&w.constants[WP_DB_NAME]);
	site->db_user = text_of(&w.constants[WP_DB_USER]);
	site->db_host = text_of(&w.constants[WP_DB_HOST]);
	site->table_prefix = text_of(&w.table_prefix);
}

static bool wanted_dir(const struct dirent *d, const char *path)
{
	struct stat st;

	if (d->d_name[0] == '.')
		return false;
	for (size_t i = 0; i < ARRAY_LEN(passed_over); i++)
		if (str_eq(d->d_name, passed_over[i]))
			return false;
	if (d->d_type != DT_UNKNOWN)
		return d->d_type == DT_DIR;
	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int search_dir(struct search *s, const char *dir, unsigned depth, struct err *e)
{
	CLEANUP(freep) char *config = xasprintf("%s/wp-config.php", dir);
	struct dirent **entries = NULL;
	int n;

	if (++s->dirs > DIRS_MAX) {
		s->out->cut = true;
		return 0;
	}
	n = scandir(dir, &entries, NULL, alphasort);
	if (n < 0)
		return err_sys(e, ERR_IO, "read the directory %s", dir);
	if (fs_exists(config))
		add_site(s, dir);
	for (int i = 0; i < n; i++) {
		CLEANUP(freep) char *path = xasprintf("%s/%s", str_eq(dir, "/") ? "" : dir, entries[i]->d_name);

		/* a directory that only its owner may read is passed over: the next one may hold a site */
		if (depth < DEPTH_MAX && wanted_dir(entries[i], path) && search_dir(s, path, depth + 1, NULL))
			s->out->unreadable++;
		free(entries[i]);
	}
	free(entries);
	return 0;
}

static void search_defaults(struct search *s)
{
	struct dirent **homes = NULL;
	int n;

	for (size_t i = 0; i < ARRAY_LEN(default_dirs); i++)
		if (is_dir(default_dirs[i]) && search_dir(s, default_dirs[i], 0, NULL))
			s->out->unreadable++;
	n = scandir("/home", &homes, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		CLEANUP(freep) char *path = xasprintf("/home/%s/public_html", homes[i]->d_name);

		if (homes[i]->d_name[0] != '.' && is_dir(path) && search_dir(s, path, 0, NULL))
			s->out->unreadable++;
		free(homes[i]);
	}
	free(homes);
}

int site_find(struct found_sites *ret, const struct strings *dirs, struct err *e)
{
	CLEANUP(found_sites_done) struct found_sites found = {0};
	struct search s = {.out = &found};

	for (size_t i = 0; i < dirs->n; i++) {
		CLEANUP(freep) char *dir = realpath(dirs->v[i], NULL);

		if (!dir)
			return err_sys(e, errno == ENOENT ? ERR_NOTFOUND : ERR_IO, "%s", dirs->v[i]);
		if (search_dir(&s, dir, 0, e))
			return -1;
	}
	if (!dirs->n)
		search_defaults(&s);

	*ret = found;
	found = (struct found_sites){0};
	return 0;
}

void found_sites_done(struct found_sites *f)
{
	for (size_t i = 0; i < f->n; i++) {
		struct found_site *s = &f->v[i];

		free(s->name);
		free(s->wp_config_path);
		free(s->wp_content_path);
		free(s->db_name);
		free(s->db_user);
		free(s->db_host);
		free(s->table_prefix);
		free(s->problem);
	}
	list_done(f);
}
