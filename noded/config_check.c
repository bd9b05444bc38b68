/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/config_check.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "shared/mem.h"
#include "shared/str.h"

void config_path(char path[static CONFIG_PATH_TEXT], const char *base, const char *key)
{
	snprintf(path, CONFIG_PATH_TEXT, "%s%s%s", base, *base ? "." : "", key);
}

static void config_want_name(const char *name, const char *base, struct problems *problems)
{
	char path[CONFIG_PATH_TEXT];

	if (str_is_name(name))
		return;
	config_path(path, base, "name");
	if (!*name)
		problems_add(problems, path, "is missing");
	else
		problems_add(problems, path,
			     "\"%.80s\" is not a name: letters, digits, \".\", \"_\" and \"-\", at most 64, "
			     "a letter or digit first", name);
}

void config_want_absolute(const char *value, const char *base, const char *key, struct problems *problems)
{
	char path[CONFIG_PATH_TEXT];

	if (!*value || *value == '/')
		return;
	config_path(path, base, key);
	problems_add(problems, path, "\"%.100s\" must be a path that begins with \"/\"", value);
}

void config_want_url(const char *value, const char *base, const char *key, struct problems *problems)
{
	char path[CONFIG_PATH_TEXT];
	int shown;

	if (!*value || str_starts(value, "http://") || str_starts(value, "https://"))
		return;
	config_path(path, base, key);
	/* the rest of it may be a password or a token */
	shown = strchr(value, '@') ? 0 : (int)strcspn(value, "/?#");
	problems_add(problems, path, "\"%.*s%s\" must begin with https:// or http://", shown < 100 ? shown : 100, value,
		     value[shown] ? "..." : "");
}

/* "host", "host:port", "host:/socket", "[v6]:port" and also "/socket" as PHP takes it. */
static bool host_ok(const char *host)
{
	const char *colon = strrchr(host, ':');
	const char *slash = strchr(host, '/');
	uint64_t port;

	if (strpbrk(host, " \t\r\n\"'\\"))
		return false;
	if (slash)
		return slash == host || (slash > host + 1 && slash[-1] == ':');
	if (!colon || (strchr(host, ':') != colon && *host != '['))
		return true; /* a name, or an IPv6 address without a port */
	if (colon > host && colon[-1] != ']' && *host == '[')
		return true;
	return colon > host && str_to_u64(&port, colon + 1, 1, 65535) == 0;
}

int config_span(int64_t *ret, const char *text)
{
	static const struct { const char *name; int64_t seconds; } units[] = {
		{"s", 1}, {"sec", 1}, {"second", 1}, {"seconds", 1}, {"m", 60}, {"min", 60}, {"minute", 60},
		{"minutes", 60}, {"h", 3600}, {"hr", 3600}, {"hour", 3600}, {"hours", 3600}, {"d", 86400},
		{"day", 86400}, {"days", 86400}, {"w", 604800}, {"week", 604800}, {"weeks", 604800}, {"", 1},
	};
	int64_t sum = 0;

	if (!*text)
		return -1;
	while (*text) {
		int64_t n = 0, unit = -1;
		size_t len;

		if (!isdigit((unsigned char)*text))
			return -1;
		for (; isdigit((unsigned char)*text); text++)
			if ((n = n * 10 + (*text - '0')) > 1000000)
				return -1;
		text += strspn(text, " ");
		len = strspn(text, "abcdefghijklmnopqrstuvwxyz");
		for (size_t i = 0; i < ARRAY_LEN(units); i++)
			if (strlen(units[i].name) == len && strncmp(units[i].name, text, len) == 0)
				unit = units[i].seconds;
		if (unit < 0)
			return -1;
		sum += n * unit;
		text += len;
		text += strspn(text, " ");
	}
	*ret = sum;
	return 0;
}

void config_check_site(const struct site *s, const char *base, struct problems *problems)
{
	static const char *const modes[] = {"off", "prefer", "verify"};
	bool mode_ok = false;
	char path[CONFIG_PATH_TEXT];

	config_want_name(s->name, base, problems);
	config_want_absolute(s->wp_config_path, base, "wp_config_path", problems);
	config_want_absolute(s->wp_content_path, base, "wp_content_path", problems);
	config_want_absolute(s->db.ssl_ca, base, "db_ssl_ca", problems);
	for (size_t i = 0; i < s->paths.n; i++) {
		snprintf(path, sizeof(path), "paths[%zu]", i);
		config_want_absolute(s->paths.v[i], base, path, problems);
	}
	for (size_t i = 0; i < ARRAY_LEN(modes); i++)
		mode_ok = mode_ok || str_eq(s->db.ssl, modes[i]);
	if (!mode_ok) {
		config_path(path, base, "db_ssl");
		problems_add(problems, path, "\"%.40s\" is not one of off, prefer, verify", s->db.ssl);
	}
	if (!host_ok(s->db.host)) {
		config_path(path, base, "db_host");
		problems_add(problems, path, "\"%.80s\" is not a host, host:port or host:/socket", s->db.host);
	}
	if (strlen(s->db_name) > 64 * 4) {
		config_path(path, base, "db_name");
		problems_add(problems, path, "is too long for the name of a database");
	}
	if (s->db_exclude.n && !str_eq(s->db_name, "*")) {
		config_path(path, base, "db_exclude");
		problems_add(problems, path, "has a meaning only with \"db_name\": \"*\"");
	}
	if (!*s->wp_config_path && !*s->wp_content_path && !*s->db_name && !s->paths.n)
		problems_add(problems, base,
			     "has nothing to back up: give wp_config_path, wp_content_path, db_name or paths");
}

static void check_s3(const struct storage *s, const char *base, struct problems *problems)
{
	const struct { const char *key, *value; } needed[] = {
		{"endpoint", s->endpoint}, {"bucket", s->bucket}, {"access_key", s->access_key},
	};
	char path[CONFIG_PATH_TEXT];

	for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
		if (*needed[i].value)
			continue;
		config_path(path, base, needed[i].key);
		problems_add(problems, path, "is missing: a storage of type \"s3\" needs it");
	}
	config_path(path, base, "secret_key");
	if (!*s->secret_key && !*s->secret_key_file)
		problems_add(problems, path, "is missing: give it, or secret_key_file with the name of a file");
	if (*s->secret_key && *s->secret_key_file)
		problems_add(problems, path, "and secret_key_file are both given: which one?");
	config_path(path, base, "endpoint");
	if (strstr(s->endpoint, "://") && !str_starts(s->endpoint, "http://") && !str_starts(s->endpoint, "https://"))
		problems_add(problems, path, "\"%.80s\" must be host, host:port or an http(s) URL", s->endpoint);
	if (strpbrk(s->endpoint, " \t\r\n\"<>\\"))
		problems_add(problems, path, "\"%.80s\" has a character that no address has", s->endpoint);
	config_path(path, base, "bucket");
	if (strpbrk(s->bucket, "/ \t\r\n"))
		problems_add(problems, path, "\"%.80s\" is not the name of a bucket", s->bucket);
}

void config_check_storage(const struct storage *s, const char *base, struct problems *problems)
{
	char path[CONFIG_PATH_TEXT];

	config_want_name(s->name, base, problems);
	config_want_absolute(s->ca_file, base, "ca_file", problems);
	config_want_absolute(s->secret_key_file, base, "secret_key_file", problems);
	config_want_absolute(s->session_token_file, base, "session_token_file", problems);
	config_want_absolute(s->path, base, "path", problems);
	if (str_eq(s->type, "s3")) {
		check_s3(s, base, problems);
		return;
	}
	if (str_eq(s->type, "dir")) {
		config_path(path, base, "path");
		if (!*s->path)
			problems_add(problems, path, "is missing: a storage of type \"dir\" needs it");
		return;
	}
	config_path(path, base, "type");
	if (*s->type)
		problems_add(problems, path, "\"%.40s\" is not one of s3, dir", s->type);
	else
		problems_add(problems, path, "is missing: \"s3\" or \"dir\"");
}

void config_check_timer(const struct config *c, const struct timer *t, const char *base, struct problems *problems)
{
	char path[CONFIG_PATH_TEXT];

	config_want_name(t->name, base, problems);
	config_path(path, base, "on_calendar");
	if (!*t->on_calendar)
		problems_add(problems, path, "is missing: when to run, such as \"*-*-* 03:10\" (systemd.time(7))");
	if (strpbrk(t->on_calendar, "\r\n"))
		problems_add(problems, path, "has a line break");
	for (size_t i = 0; i < t->sites.n; i++) {
		if (str_eq(t->sites.v[i], "*") || config_site(c, t->sites.v[i]))
			continue;
		snprintf(path, sizeof(path), "%.90s.sites[%zu]", base, i);
		problems_add(problems, path, "there is no site \"%.64s\"", t->sites.v[i]);
	}
}
