/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/mem.h"
#include "shared/str.h"
#include "tui/cmd_show.h"

/* felloe channels: where the master tells of alerts. */

struct options {
	const char *kind, *url_file, *secret_file, *host, *from, *to, *user, *password_file, *tls, *severity, *kinds, *tags;
	uint64_t port;
};

static void wipe(char **s)
{
	if (*s)
		mem_wipe(*s, strlen(*s));
	freep(s);
}

static int list(struct cmd *c, char **argv, void *opts, struct err *e)
{
	static const struct cmd_column columns[] = {
		{"ID", "id", CMD_TEXT},	       {"NAME", "name", CMD_TEXT},     {"KIND", "kind", CMD_TEXT},
		{"ON", "enabled", CMD_YES}, {"FROM", "min_severity", CMD_TEXT}, {"TAGS", "tags", CMD_WORDS},
		{"URL", "url", CMD_TEXT},  {"HOST", "host", CMD_TEXT},	       {"TO", "to", CMD_WORDS},
	};

	(void)argv;
	(void)opts;
	return cmd_show(c,
			&(struct cmd_table){"/channels", columns, ARRAY_LEN(columns), 0,
					    "No channels: nobody is told of alerts. felloe channels add NAME makes one."},
			e);
}

static int put_secret(struct cmd_body *b, const char *key, const char *file, struct err *e)
{
	CLEANUP(wipe) char *secret = NULL;

	if (!file)
		return 0;
	if (cmd_secret(&secret, file, key, false, e))
		return -1;
	json_put_str(&b->o, key, secret);
	return 0;
}

static void put_text(struct cmd_body *b, const char *key, const char *value)
{
	if (value)
		json_put_str(&b->o, key, value);
}

static int add(struct cmd *c, char **argv, void *opts, struct err *e)
{
	const struct options *o = opts;
	CLEANUP(json_freep) struct json *j = NULL;
	struct cmd_body b;

	cmd_body_begin(&b);
	json_put_str(&b.o, "name", argv[1]);
	json_put_str(&b.o, "kind", str_or(o->kind, o->host ? "mail" : "webhook"));
	put_text(&b, "host", o->host);
	put_text(&b, "from", o->from);
	cmd_body_words(&b, "to", o->to);
	put_text(&b, "user", o->user);
	put_text(&b, "tls", o->tls);
	put_text(&b, "min_severity", o->severity);
	cmd_body_words(&b, "kinds", o->kinds);
	cmd_body_words(&b, "tags", o->tags);
	if (o->port)
		json_put_int(&b.o, "port", (int64_t)o->port);
	if (put_secret(&b, "url", o->url_file, e) || put_secret(&b, "secret", o->secret_file, e) ||
	    put_secret(&b, "password", o->password_file, e)) {
		mem_wipe(b.b.p, b.b.len);
		buf_done(&b.b);
		return -1;
	}
	if (cmd_send(c, "POST", "/channels", &b, &j, e))
		return -1;
	if (c->json) {
		cmd_print_json(j);
		return 0;
	}
	printf("Channel %s is made; felloe channels test %s tries it.\n", argv[1], argv[1]);
	if (json_get_str(j, "secret", NULL))
		printf("Secret of its signatures (shown this once): %s\n", json_get_str(j, "secret", ""));
	return 0;
}

static int test(struct cmd *c, char **argv, void *opts, struct err *e)
{
	CLEANUP(json_freep) struct json *j = NULL;
	char path[64], full[80];

	(void)opts;
	if (cmd_item(c, path, "/channels", argv[1], e))
		return -1;
	snprintf(full, sizeof(full), "%s/test", path);
	if (cmd_send(c, "POST", full, NULL, &j, e))
		return -1;
	if (c->json && j)
		cmd_print_json(j);
	else
		printf("Channel %s: the message was taken.\n", argv[1]);
	return 0;
}

static int drop(struct cmd *c, char **argv, void *opts, struct err *e)
{
	char path[64];

	(void)opts;
	if (cmd_item(c, path, "/channels", argv[1], e) || cmd_send(c, "DELETE", path, NULL, NULL, e))
		return -1;
	printf("Channel %s is deleted.\n", argv[1]);
	return 0;
}

int cmd_channels(int argc, char **argv)
{
	struct options o = {0};
	const struct opt more[] = {
		{.name = "kind", .type = OPT_STR, .to = &o.kind, .arg = "KIND", .help = "webhook, slack or mail."},
		{.name = "url-file", .type = OPT_STR, .to = &o.url_file, .arg = "FILE",
		 .help = "Of a webhook or slack: its URL stands there (mode 600), since who knows it may write there."},
		{.name = "secret-file", .type = OPT_STR, .to = &o.secret_file, .arg = "FILE",
		 .help = "The secret of a webhook's signatures; else one is made."},
		{.name = "host", .type = OPT_STR, .to = &o.host, .arg = "HOST", .help = "Of mail: the server."},
		{.name = "port", .type = OPT_U64, .to = &o.port, .arg = "N", .help = "And its port.", .min = 1, .max = 65535},
		{.name = "tls", .type = OPT_STR, .to = &o.tls, .arg = "HOW", .help = "starttls (the default), tls or none."},
		{.name = "from", .type = OPT_STR, .to = &o.from, .arg = "ADDRESS", .help = "Who the mail is from."},
		{.name = "to", .type = OPT_STR, .to = &o.to, .arg = "A,B", .help = "Who gets it."},
		{.name = "mail-user", .type = OPT_STR, .to = &o.user, .arg = "NAME", .help = "Who signs in at the mail server."},
		{.name = "password-file", .type = OPT_STR, .to = &o.password_file, .arg = "FILE", .help = "With this password."},
		{.name = "severity", .type = OPT_STR, .to = &o.severity, .arg = "S", .help = "critical: only such; else all."},
		{.name = "kinds", .type = OPT_STR, .to = &o.kinds, .arg = "A,B", .help = "Only alerts of these kinds."},
		{.name = "tags", .type = OPT_STR, .to = &o.tags, .arg = "A,B", .help = "Only of nodes with one of these tags."},
		{0}};
	const struct cmd_spec spec = {"[add NAME --kind KIND ... | test NAME | delete NAME]",
				      "List where alerts are told, add a channel, try it. Needs super_admin.", more, 0, 2};
	static const struct cmd_sub subs[] = {
		{"", "", 0, list}, {"add", "NAME", 1, add}, {"test", "NAME", 1, test}, {"delete", "NAME", 1, drop}, {0}};

	return cmd_subs(argc, argv, &spec, subs, &o);
}
