/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/channel_form.h"

#include <stdlib.h>
#include <string.h>

#include "masterd/tbl_alert.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { FORM_MAX = 64 * 1024, URL_LEN_MAX = 1000, SECRET_MIN = 16, TEXT_LEN_MAX = 254, TO_MAX = 32 };

/* The body in front of what there was. */
struct form {
	const struct json *body;
	struct json *settings, *secrets, *filter; /* old ones; NULL */
	struct problems *p;
};

static const struct json *pick(const struct json *body, const struct json *old, const char *key)
{
	const struct json *v = json_get(body, key);

	return v && json_type(v) != JSON_NULL ? v : json_get(old, key);
}

/* A text without blanks and controls; NULL when it is not there. */
static const char *word(const struct form *f, const struct json *old, const char *key, size_t max)
{
	const struct json *v = pick(f->body, old, key);
	const char *text = json_str(v);

	if (!v)
		return NULL;
	if (!text) {
		problems_add(f->p, key, "must be text");
		return NULL;
	}
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f) {
			problems_add(f->p, key, "must not hold blanks or control characters");
			return NULL;
		}
	if (!*text || strlen(text) > max) {
		problems_add(f->p, key, "must have 1 to %zu characters", max);
		return NULL;
	}
	return text;
}

/* ---- by HTTP */

/* "https://host:port" of a URL, or NULL and a problem. */
static char *origin_of(const struct form *f, const char *url)
{
	const char *host = str_starts(url, "https://") ? url + 8 : str_starts(url, "http://") ? url + 7 : NULL;
	size_t len = host ? strcspn(host, "/?#") : 0;

	if (!host)
		problems_add(f->p, "url", "must begin with https:// or http://");
	else if (!len || memchr(host, '@', len))
		problems_add(f->p, "url", "must name a host, without a user in front of it");
	else
		return xasprintf("%.*s/...", (int)(host + len - url), url);
	return NULL;
}

static void read_url(const struct form *f, struct json_out *settings, struct json_out *secrets)
{
	const char *url = word(f, f->secrets, "url", URL_LEN_MAX);
	CLEANUP(freep) char *origin = url ? origin_of(f, url) : NULL;

	if (!pick(f->body, f->secrets, "url"))
		problems_add(f->p, "url", "missing: where to send the notices");
	if (!origin)
		return;
	json_put_str(settings, "url", origin);
	json_put_str(secrets, "url", url);
}

static void read_webhook(const struct form *f, struct json_out *settings, struct json_out *secrets)
{
	const char *secret = word(f, f->secrets, "secret", TEXT_LEN_MAX);
	CLEANUP(freep) char *made = NULL;
	uint8_t random[32];

	read_url(f, settings, secrets);
	if (secret && strlen(secret) < SECRET_MIN)
		problems_add(f->p, "secret", "is shorter than %d characters", SECRET_MIN);
	if (!secret) {
		random_bytes(random, sizeof(random));
		secret = made = base64url_encode(random, sizeof(random));
	}
	json_put_str(secrets, "secret", secret);
	if (made)
		mem_wipe(made, strlen(made));
}

/* ---- mail */

static bool is_address(const char *text)
{
	const char *at = text ? strrchr(text, '@') : NULL;

	return at && at > text && at[1] && !strpbrk(text, "<>\",;:()[]\\");
}

static void read_to(const struct form *f, struct json_out *settings)
{
	const struct json *list = pick(f->body, f->settings, "to");
	size_t n = json_count(list);

	if (json_type(list) != JSON_ARRAY || !n || n > TO_MAX) {
		problems_add(f->p, "to", "must be a list of 1 to %d addresses", TO_MAX);
		return;
	}
	json_arr(settings, "to");
	for (const struct json *j = json_first(list); j; j = json_next(j)) {
		const char *text = json_str(j);

		if (!is_address(text) || strlen(text) > TEXT_LEN_MAX || strpbrk(text, " \t\r\n") || !str_is_clean(text))
			problems_add(f->p, "to", "must hold addresses such as ops@example.com");
		else
			json_put_str(settings, NULL, text);
	}
	json_end_arr(settings);
}

static bool is_near(const char *host)
{
	return str_eq(host, "localhost") || str_eq(host, "::1") || str_starts(host, "127.");
}

static void read_server(const struct form *f, struct json_out *settings)
{
	const char *host = word(f, f->settings, "host", TEXT_LEN_MAX), *user = word(f, f->settings, "user", TEXT_LEN_MAX);
	const char *tls = word(f, f->settings, "tls", 16), *ca_file = word(f, f->settings, "ca_file", TEXT_LEN_MAX);
	const struct json *port = pick(f->body, f->settings, "port");

	tls = str_or(tls, "starttls");
	if (!host || strpbrk(host, "/@?#[]"))
		problems_add(f->p, "host", "must be the name or address of a mail server");
	if (!str_eq(tls, "starttls") && !str_eq(tls, "tls") && !str_eq(tls, "none"))
		problems_add(f->p, "tls", "must be starttls, tls or none");
	if (user && str_eq(tls, "none") && !is_near(str_or(host, "")))
		problems_add(f->p, "tls", "none would send the password in clear: use starttls or tls");
	if (port && (json_type(port) != JSON_NUMBER || json_num(port) < 1 || json_num(port) > 65535))
		problems_add(f->p, "port", "must be a number from 1 to 65535");
	json_put_str(settings, "host", host);
	json_put_int(settings, "port", port ? (int64_t)json_num(port) : str_eq(tls, "tls") ? 465 : user ? 587 : 25);
	json_put_str(settings, "tls", tls);
	if (user)
		json_put_str(settings, "user", user);
	if (ca_file)
		json_put_str(settings, "ca_file", ca_file);
}

static void read_mail(const struct form *f, struct json_out *settings, struct json_out *secrets)
{
	const struct json *password = pick(f->body, f->secrets, "password");
	const char *from = word(f, f->settings, "from", TEXT_LEN_MAX);

	read_server(f, settings);
	if (!is_address(from))
		problems_add(f->p, "from", "must be an address such as felloe@example.com");
	json_put_str(settings, "from", from);
	read_to(f, settings);
	if (password && (!json_str(password) || strlen(json_str(password)) > TEXT_LEN_MAX || strpbrk(json_str(password), "\r\n")))
		problems_add(f->p, "password", "must be text of one line");
	else if (password)
		json_put_str(secrets, "password", json_str(password));
}

/* ---- what it wants to hear */

static void read_kinds(const struct form *f, struct json_out *o)
{
	const struct json *list = pick(f->body, f->filter, "kinds");
	enum alert_kind kind;

	if (list && json_type(list) != JSON_ARRAY)
		problems_add(f->p, "kinds", "must be a list");
	json_arr(o, "kinds");
	for (const struct json *j = json_first(list); j; j = json_next(j))
		if (alert_kind_from(&kind, json_str(j)))
			problems_add(f->p, "kinds", "\"%.40s\" is not a kind of alert", str_or(json_str(j), "?"));
		else
			json_put_str(o, NULL, json_str(j));
	json_end_arr(o);
}

static void read_tags(const struct form *f, struct json_out *o)
{
	const struct json *list = pick(f->body, f->filter, "tags");

	if (list && json_type(list) != JSON_ARRAY)
		problems_add(f->p, "tags", "must be a list");
	json_arr(o, "tags");
	for (const struct json *j = json_first(list); j; j = json_next(j))
		if (!str_is_name(str_or(json_str(j), "")))
			problems_add(f->p, "tags", "a tag has 1 to 64 of A-Z a-z 0-9 . _ -");
		else
			json_put_str(o, NULL, json_str(j));
	json_end_arr(o);
}

static char *read_filter(const struct form *f)
{
	const struct json *recovered = pick(f->body, f->filter, "recovered");
	const char *least = word(f, f->filter, "min_severity", 16);
	enum severity severity;
	struct json_out o;
	struct buf b;

	if (least && severity_from(&severity, least))
		problems_add(f->p, "min_severity", "must be warning or critical");
	if (recovered && json_type(recovered) != JSON_BOOL)
		problems_add(f->p, "recovered", "must be true or false");
	buf_init(&b, FORM_MAX);
	json_out_init(&o, &b);
	json_obj(&o, NULL);
	json_put_str(&o, "min_severity", str_or(least, "warning"));
	json_put_bool(&o, "recovered", recovered ? json_bool(recovered) : true);
	read_kinds(f, &o);
	read_tags(f, &o);
	json_end_obj(&o);
	return buf_take(&b);
}

/* ---- all of it */

static void read_head(const struct form *f, struct alert_channel *c, const struct channel_old *old)
{
	const char *kind = json_get_str(f->body, "kind", NULL), *name = json_get_str(f->body, "name", NULL);

	c->enabled = true;
	if (old) {
		c->id = old->channel->id;
		c->kind = old->channel->kind;
		c->enabled = old->channel->enabled;
		str_cut(c->name, sizeof(c->name), old->channel->name);
		if (kind && !str_eq(kind, channel_kind_name(c->kind)))
			problems_add(f->p, "kind", "cannot be changed: make another channel");
	} else if (channel_kind_from(&c->kind, str_or(kind, ""))) {
		problems_add(f->p, "kind", "must be webhook, slack or mail");
	}
	if (name || !old) {
		if (!str_is_name(str_or(name, "")))
			problems_add(f->p, "name", "must have 1 to 64 of A-Z a-z 0-9 . _ -");
		str_cut(c->name, sizeof(c->name), str_or(name, ""));
	}
	json_want_bool(f->body, "", "enabled", &c->enabled, f->p);
}

static struct json *parse(const char *text)
{
	struct json *j = NULL;

	return text && !json_parse(&j, text, strlen(text), NULL) ? j : NULL;
}

/* check-size: what, from what, and the two outcomes */
void channel_form(struct alert_channel *c, const struct json *body, const struct channel_old *old, char **secrets,
		  struct problems *p)
{
	CLEANUP(json_freep) struct json *o_settings = old ? parse(old->channel->settings) : NULL;
	CLEANUP(json_freep) struct json *o_secrets = old ? parse(old->secrets) : NULL;
	CLEANUP(json_freep) struct json *o_filter = old ? parse(old->channel->filter) : NULL;
	struct form f = {.body = body, .settings = o_settings, .secrets = o_secrets, .filter = o_filter, .p = p};
	struct json_out settings, hidden;
	struct buf shown, sealed;

	buf_init(&shown, FORM_MAX);
	buf_init(&sealed, FORM_MAX);
	json_out_init(&settings, &shown);
	json_out_init(&hidden, &sealed);
	json_obj(&settings, NULL);
	json_obj(&hidden, NULL);
	read_head(&f, c, old);
	if (c->kind == CHANNEL_MAIL)
		read_mail(&f, &settings, &hidden);
	else if (c->kind == CHANNEL_SLACK)
		read_url(&f, &settings, &hidden);
	else
		read_webhook(&f, &settings, &hidden);
	json_end_obj(&settings);
	json_end_obj(&hidden);
	c->settings = buf_take(&shown);
	*secrets = buf_take(&sealed);
	c->filter = read_filter(&f);
}

void channel_put(struct json_out *o, const struct alert_channel *c)
{
	CLEANUP(json_freep) struct json *settings = parse(c->settings);
	CLEANUP(json_freep) struct json *filter = parse(c->filter);

	json_put_int(o, "id", c->id);
	json_put_str(o, "name", c->name);
	json_put_str(o, "kind", channel_kind_name(c->kind));
	json_put_bool(o, "enabled", c->enabled);
	for (const struct json *j = json_first(settings); j; j = json_next(j))
		json_put(o, json_key(j), j);
	for (const struct json *j = json_first(filter); j; j = json_next(j))
		json_put(o, json_key(j), j);
	json_put_time(o, "created", c->created);
	json_put_str(o, "created_by", c->created_by);
	json_put_time(o, "last_ok", c->last_ok);
	json_put_time(o, "last_failed", c->last_failed);
	json_put_str(o, "last_error", c->last_error[0] ? c->last_error : NULL);
	json_put_int(o, "sent", c->sent);
	json_put_int(o, "waiting", c->waiting);
	json_put_int(o, "dropped", c->dropped);
}
