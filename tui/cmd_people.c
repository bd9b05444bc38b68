/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/clock.h"
#include "shared/fs.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "tui/cmd_show.h"

/* Who may do what: felloe users, tokens, audit. */

struct options {
	const char *role, *tags, *password_file, *scopes, *expires, *uses, *who, *action, *since;
	bool join, pre_approved;
	uint64_t limit;
};

static void wipe(char **s)
{
	if (*s)
		mem_wipe(*s, strlen(*s));
	freep(s);
}

/* ---- users */

static const struct cmd_column user_columns[] = {
	{"ID", "id", CMD_TEXT},	      {"USER", "username", CMD_TEXT}, {"ROLE", "role", CMD_TEXT},
	{"CODES", "totp", CMD_YES},   {"DISABLED", "disabled", CMD_YES}, {"SINCE", "created", CMD_DAY},
	{"TAGS", "tags", CMD_WORDS},
};

static int users_list(struct cmd *c, char **argv, void *opts, struct err *e)
{
	(void)argv;
	(void)opts;
	return cmd_show(c, &(struct cmd_table){"/users", user_columns, ARRAY_LEN(user_columns), 0, "No users."}, e);
}

static int put_password(struct cmd_body *b, const char *file, struct err *e)
{
	CLEANUP(wipe) char *secret = NULL;

	if (!file)
		return 0;
	if (fs_read_secret(&secret, file, e))
		return -1;
	json_put_str(&b->o, "password", secret);
	return 0;
}

static int users_add(struct cmd *c, char **argv, void *opts, struct err *e)
{
	const struct options *o = opts;
	CLEANUP(json_freep) struct json *j = NULL;
	struct cmd_body b;

	cmd_body_begin(&b);
	json_put_str(&b.o, "username", argv[1]);
	if (o->role)
		json_put_str(&b.o, "role", o->role);
	cmd_body_words(&b, "tags", o->tags);
	if (put_password(&b, o->password_file, e)) {
		buf_done(&b.b);
		return -1;
	}
	if (cmd_send(c, "POST", "/users", &b, &j, e))
		return -1;
	if (c->json) {
		cmd_print_json(j);
		return 0;
	}
	printf("User %s is made, with the role %s.\n", argv[1], json_get_str(j, "role", "viewer"));
	if (json_get_str(j, "password", NULL))
		printf("Password (shown this once): %s\n", json_get_str(j, "password", ""));
	return 0;
}

/* PATCH with what the options say, or with one member. */
static int users_patch(struct cmd *c, const char *word, struct cmd_body *b, struct err *e)
{
	CLEANUP(json_freep) struct json *j = NULL;
	char path[64];

	if (cmd_item(c, path, "/users", word, e)) {
		buf_done(&b->b);
		return -1;
	}
	if (cmd_send(c, "PATCH", path, b, &j, e))
		return -1;
	if (c->json)
		cmd_print_json(j);
	else
		printf("User %s is changed.\n", json_get_str(j, "username", word));
	return 0;
}

static int users_role(struct cmd *c, char **argv, void *opts, struct err *e)
{
	struct cmd_body b;

	(void)opts;
	cmd_body_begin(&b);
	json_put_str(&b.o, "role", argv[2]);
	return users_patch(c, argv[1], &b, e);
}

static int users_tags(struct cmd *c, char **argv, void *opts, struct err *e)
{
	struct cmd_body b;

	(void)opts;
	cmd_body_begin(&b);
	/* as felloe-masterd user tags has it */
	cmd_body_words(&b, "tags", str_eq(argv[2], "none") ? "" : argv[2]);
	return users_patch(c, argv[1], &b, e);
}

static int flag(struct cmd *c, const char *word, const char *key, bool value, struct err *e)
{
	struct cmd_body b;

	cmd_body_begin(&b);
	json_put_bool(&b.o, key, value);
	return users_patch(c, word, &b, e);
}

static int users_disable(struct cmd *c, char **argv, void *opts, struct err *e)
{
	(void)opts;
	return flag(c, argv[1], "disabled", true, e);
}

static int users_enable(struct cmd *c, char **argv, void *opts, struct err *e)
{
	(void)opts;
	return flag(c, argv[1], "disabled", false, e);
}

static int users_totp_off(struct cmd *c, char **argv, void *opts, struct err *e)
{
	(void)opts;
	return flag(c, argv[1], "totp", false, e);
}

static int users_password(struct cmd *c, char **argv, void *opts, struct err *e)
{
	const struct options *o = opts;
	CLEANUP(wipe) char *secret = NULL;
	struct cmd_body b;

	if (cmd_secret(&secret, o->password_file, "New password", true, e))
		return -1;
	cmd_body_begin(&b);
	json_put_str(&b.o, "password", secret);
	return users_patch(c, argv[1], &b, e);
}

static int users_delete(struct cmd *c, char **argv, void *opts, struct err *e)
{
	char path[64];

	(void)opts;
	if (cmd_item(c, path, "/users", argv[1], e) || cmd_send(c, "DELETE", path, NULL, NULL, e))
		return -1;
	printf("User %s is deleted.\n", argv[1]);
	return 0;
}

int cmd_users(int argc, char **argv)
{
	struct options o = {0};
	const struct opt more[] = {
		{.name = "role", .type = OPT_STR, .to = &o.role, .arg = "ROLE",
		 .help = "With add: viewer (the default), node_admin or super_admin."},
		{.name = "tags", .type = OPT_STR, .to = &o.tags, .arg = "A,B",
		 .help = "With add: sees only nodes with one of these tags."},
		{.name = "password-file", .type = OPT_STR, .to = &o.password_file, .arg = "FILE",
		 .help = "With add and password: the password stands there (mode 600). Else one is made (add) or asked for."},
		{0}};
	const struct cmd_spec spec = {
		"[add NAME | role NAME ROLE | tags NAME A,B | disable|enable|password|totp-off|delete NAME]",
		"List the users of the master, or change one. Needs the role super_admin.", more, 0, 3};
	static const struct cmd_sub subs[] = {{"", "", 0, users_list},
					      {"add", "NAME", 1, users_add},
					      {"role", "NAME ROLE", 2, users_role},
					      {"tags", "NAME A,B|none", 2, users_tags},
					      {"disable", "NAME", 1, users_disable},
					      {"enable", "NAME", 1, users_enable},
					      {"password", "NAME", 1, users_password},
					      {"totp-off", "NAME", 1, users_totp_off},
					      {"delete", "NAME", 1, users_delete},
					      {0}};

	return cmd_subs(argc, argv, &spec, subs, &o);
}

/* ---- tokens */

static int tokens_list(struct cmd *c, char **argv, void *opts, struct err *e)
{
	static const struct cmd_column api[] = {
		{"ID", "id", CMD_TEXT},		  {"NAME", "name", CMD_TEXT},	 {"ROLE", "role", CMD_TEXT},
		{"SCOPES", "scopes", CMD_WORDS}, {"EXPIRES", "expires", CMD_DAY}, {"LAST USED", "last_used", CMD_AGO},
		{"MADE BY", "created_by", CMD_TEXT}, {"TAGS", "tags", CMD_WORDS},
	};
	static const struct cmd_column join[] = {
		{"ID", "id", CMD_TEXT},	    {"NAME", "name", CMD_TEXT},	      {"STATE", "state", CMD_TEXT},
		{"USED", "used", CMD_TEXT}, {"OF", "uses", CMD_TEXT},	      {"EXPIRES", "expires", CMD_DAY},
		{"PRE-APPROVED", "pre_approved", CMD_YES}, {"MADE BY", "created_by", CMD_TEXT}, {"TAGS", "tags", CMD_WORDS},
	};
	const struct options *o = opts;
	const struct cmd_table t = o->join
		? (struct cmd_table){"/join-tokens", join, ARRAY_LEN(join), 0, "No join tokens; felloe tokens add NAME --join makes one."}
		: (struct cmd_table){"/api-tokens", api, ARRAY_LEN(api), 0, "No API tokens; felloe tokens add NAME makes one."};

	(void)argv;
	return cmd_show(c, &t, e);
}

static int tokens_answer(struct cmd *c, const struct json *j)
{
	char when[CLOCK_TEXT];

	if (c->json) {
		cmd_print_json(j);
		return 0;
	}
	printf("Token (shown this once): %s\n", json_get_str(j, "token", "?"));
	printf("It expires at %s.\n", clock_rfc3339(when, json_get_time(j, "expires")));
	return 0;
}

static int join_add(struct cmd *c, const char *name, const struct options *o, struct err *e)
{
	CLEANUP(json_freep) struct json *j = NULL;
	struct cmd_body b;
	uint64_t uses = 1;
	int64_t ms = 0;

	if (o->expires && cmd_span(&ms, o->expires, "--expires", e))
		return -1;
	if (o->uses && str_to_u64(&uses, o->uses, 1, 100000))
		return err_set(e, ERR_USAGE, "--uses: \"%s\" is no number from 1 to 100000", o->uses);
	cmd_body_begin(&b);
	json_put_str(&b.o, "name", name);
	if (ms)
		json_put_int(&b.o, "ttl_s", ms / 1000);
	json_put_int(&b.o, "uses", (int64_t)uses);
	cmd_body_words(&b, "tags", o->tags);
	json_put_bool(&b.o, "pre_approved", o->pre_approved);
	return cmd_send(c, "POST", "/join-tokens", &b, &j, e) ? -1 : tokens_answer(c, j);
}

static int tokens_add(struct cmd *c, char **argv, void *opts, struct err *e)
{
	const struct options *o = opts;
	CLEANUP(json_freep) struct json *j = NULL;
	struct cmd_body b;
	int64_t ms;

	if (o->join)
		return join_add(c, argv[1], o, e);
	if (cmd_span(&ms, str_or(o->expires, "90d"), "--expires", e))
		return -1;
	cmd_body_begin(&b);
	json_put_str(&b.o, "name", argv[1]);
	if (o->role)
		json_put_str(&b.o, "role", o->role);
	cmd_body_words(&b, "tags", o->tags);
	cmd_body_words(&b, "scopes", o->scopes);
	json_put_time(&b.o, "expires", (clock_ms() + ms) / 1000 * 1000);
	return cmd_send(c, "POST", "/api-tokens", &b, &j, e) ? -1 : tokens_answer(c, j);
}

static int tokens_revoke(struct cmd *c, char **argv, void *opts, struct err *e)
{
	const struct options *o = opts;
	char path[64];

	if (cmd_item(c, path, o->join ? "/join-tokens" : "/api-tokens", argv[1], e) ||
	    cmd_send(c, "DELETE", path, NULL, NULL, e))
		return -1;
	printf("Token %s is revoked.\n", argv[1]);
	return 0;
}

int cmd_tokens(int argc, char **argv)
{
	struct options o = {0};
	const struct opt more[] = {
		{.name = "join", .type = OPT_FLAG, .to = &o.join,
		 .help = "Tokens that let nodes in (felloe-noded join --token) instead of API tokens of programs."},
		{.name = "role", .type = OPT_STR, .to = &o.role, .arg = "ROLE", .help = "With add: viewer (the default) or more."},
		{.name = "scopes", .type = OPT_STR, .to = &o.scopes, .arg = "A,B",
		 .help = "With add: read (the default), write, metrics."},
		{.name = "tags", .type = OPT_STR, .to = &o.tags, .arg = "A,B",
		 .help = "With add: sees only nodes with one of these; with --join: the node gets them."},
		{.name = "expires", .type = OPT_STR, .to = &o.expires, .arg = "SPAN",
		 .help = "With add: good for so long (90d; with --join 1d)."},
		{.name = "uses", .type = OPT_STR, .to = &o.uses, .arg = "N", .help = "With add --join: for so many nodes (1)."},
		{.name = "pre-approved", .type = OPT_FLAG, .to = &o.pre_approved,
		 .help = "With add --join: the nodes need no approval."},
		{0}};
	const struct cmd_spec spec = {"[add NAME | revoke NAME|ID] [--join]",
				      "List tokens, make one (its secret is shown once) or revoke it. Needs super_admin.", more, 0, 2};
	static const struct cmd_sub subs[] = {
		{"", "", 0, tokens_list}, {"add", "NAME", 1, tokens_add}, {"revoke", "NAME|ID", 1, tokens_revoke}, {0}};

	return cmd_subs(argc, argv, &spec, subs, &o);
}

/* ---- audit */

static int audit(struct cmd *c, char **argv, void *opts, struct err *e)
{
	static const struct cmd_column columns[] = {
		{"ID", "id", CMD_TEXT},	   {"AT", "at", CMD_DAY},	  {"WHO", "who", CMD_TEXT},
		{"FROM", "peer", CMD_TEXT}, {"ACTION", "action", CMD_TEXT}, {"OBJECT", "object", CMD_TEXT},
		{"DETAIL", "detail", CMD_JSON},
	};
	const struct options *o = opts;
	char path[320], since[CLOCK_TEXT] = "";
	int64_t ms;

	(void)argv;
	if (o->since && cmd_span(&ms, o->since, "--since", e))
		return -1;
	if (o->since)
		clock_rfc3339(since, (clock_ms() - ms) / 1000 * 1000);
	if ((o->who && !str_is_name(o->who)) || (o->action && !str_is_name(o->action)))
		return err_set(e, ERR_USAGE, "--who and --action take a name of letters, digits and . _ -");
	snprintf(path, sizeof(path), "/audit?x=1%s%.64s%s%.64s%s%s", o->who ? "&who=" : "", str_or(o->who, ""),
		 o->action ? "&action=" : "", str_or(o->action, ""), since[0] ? "&since=" : "", since);
	return cmd_show(c, &(struct cmd_table){path, columns, ARRAY_LEN(columns), o->limit, "No record fits."}, e);
}

int cmd_audit(int argc, char **argv)
{
	struct options o = {.limit = 100};
	const struct opt more[] = {
		{.name = "who", .type = OPT_STR, .to = &o.who, .arg = "NAME", .help = "Only what this user did."},
		{.name = "action", .type = OPT_STR, .to = &o.action, .arg = "WORD",
		 .help = "Only this action (node.approve) or this kind (node)."},
		{.name = "since", .type = OPT_STR, .to = &o.since, .arg = "SPAN", .help = "Only of the last 90s, 15m, 4h, 2d ..."},
		{.name = "limit", .type = OPT_U64, .to = &o.limit, .arg = "N", .help = "At most so many (100).", .min = 1,
		 .max = 1000000},
		{0}};
	const struct cmd_spec spec = {"[--who NAME] [--action WORD] [--since SPAN] [--limit N]",
				      "Show who did what, the newest first. Needs the role super_admin.", more, 0, 0};
	static const struct cmd_sub subs[] = {{"", "", 0, audit}, {0}};

	return cmd_subs(argc, argv, &spec, subs, &o);
}
