/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/cmd.h"

#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "masterd/config.h"
#include "masterd/pwq.h"
#include "masterd/svc_user.h"
#include "masterd/tbl_user.h"
#include "shared/clock.h"
#include "shared/crypt.h"
#include "shared/fs.h"
#include "shared/hash.h"
#include "shared/json.h"
#include "shared/mem.h"
#include "shared/opt.h"
#include "shared/str.h"

struct user_opts {
	const char *role, *tags, *password_file;
	bool json;
};

static void secret_freep(char **s)
{
	if (*s)
		mem_wipe(*s, strlen(*s));
	free(*s);
}

/* Hash of the password in the file, or of a random one. */
static int new_password(char hash[static CRYPT_PW_TEXT], const char *name, const char *file, char **made, struct err *e)
{
	CLEANUP(secret_freep) char *password = NULL;
	char random[PASSWORD_MADE];

	if (!file) {
		*made = xstrdup(user_make_password(random));
		mem_wipe(random, sizeof(random));
		return crypt_pw_hash(hash, *made, e);
	}
	if (fs_read_secret(&password, file, e))
		return -1;
	if (user_judge_password(name, password, e))
		return err_wrap(e, "%s", file);
	return crypt_pw_hash(hash, password, e);
}

/* Who works at the command line, for the audit trail. */
static struct actor operator(void)
{
	const struct passwd *pw = getpwuid(getuid());
	char name[64];

	snprintf(name, sizeof(name), "felloe-masterd (%.40s)", pw ? pw->pw_name : "?");
	return actor_named(name, clock_ms());
}

/* "eu,shop" as a JSON array of texts; "" or "none" is an empty one. */
static int tags_json(char *out, const char *text, struct err *e)
{
	CLEANUP(freep) char *copy = xstrdup(str_eq(text, "none") ? "" : text);
	char *rest = copy, *tag;
	struct json_out o;
	struct buf b;
	int rc = 0;

	buf_init(&b, SCOPE_TAGS - 1);
	json_out_init(&o, &b);
	json_arr(&o, NULL);
	while (!rc && (tag = strsep(&rest, ","))) {
		if (!str_is_name(tag) && tag[0])
			rc = err_set(e, ERR_USAGE, "tag \"%.80s\": a tag has 1 to 64 of A-Z a-z 0-9 . _ -", tag);
		else if (tag[0])
			json_put_str(&o, NULL, tag);
	}
	json_end_arr(&o);
	if (!rc && b.over)
		rc = err_set(e, ERR_USAGE, "the tags are longer than %d bytes together", SCOPE_TAGS - 2);
	if (!rc)
		str_cut(out, SCOPE_TAGS, b.p);
	buf_done(&b);
	return rc;
}

/* What a verb of ours works with. */
struct user_verb {
	const struct user_opts *o;
	struct db *db;
	struct actor actor;
	const char *name, *value; /* operands */
	char *made;               /* a password to print */
};

/* check-size: init gives less than user add */
static int add_user(struct user_verb *v, const char *role, const char *tags, const char *password_file, struct err *e)
{
	struct user u = {.created = v->actor.at};

	if (!str_is_name(v->name) || str_copy(u.name, sizeof(u.name), v->name))
		return err_set(e, ERR_INVALID, "user \"%.80s\": a name has 1 to 64 of A-Z a-z 0-9 . _ -", v->name);
	if (role_from(&u.role, role))
		return err_set(e, ERR_USAGE, "role \"%.40s\": use viewer, node_admin or super_admin", role);
	if (tags_json(u.scope.tags, tags, e) || new_password(u.password, v->name, password_file, &v->made, e))
		return -1;
	if (db_begin(v->db, e) || db_rules(v->db, e) || user_add(v->db, &v->actor, &u, e))
		return -1;
	return db_commit(v->db, e);
}

int cmd_add_user(struct db *db, const char *name, const char *role, const char *password_file, char **made,
		 struct err *e)
{
	struct user_verb v = {.db = db, .actor = operator(), .name = name};
	int rc = add_user(&v, role, "", password_file, e);

	*made = v.made;
	return rc;
}

/* In a transaction that goes with its connection when it fails. */
static int change(struct user_verb *v, const struct user_change *c, struct err *e)
{
	struct user u, out;

	if (tbl_user_get(v->db, v->name, &u, e))
		return -1;
	if (db_begin(v->db, e) || db_rules(v->db, e) || user_change(v->db, &v->actor, u.id, c, &out, e))
		return -1;
	return db_commit(v->db, e);
}

static int verb_add(struct user_verb *v, struct err *e)
{
	return add_user(v, str_or(v->o->role, "viewer"), str_or(v->o->tags, ""), v->o->password_file, e);
}

static int verb_passwd(struct user_verb *v, struct err *e)
{
	char hash[CRYPT_PW_TEXT];
	struct user u;

	if (tbl_user_get(v->db, v->name, &u, e) || new_password(hash, v->name, v->o->password_file, &v->made, e))
		return -1;
	return change(v, &(struct user_change){.password = hash, .disabled = -1}, e);
}

static int verb_role(struct user_verb *v, struct err *e)
{
	return change(v, &(struct user_change){.role = v->value, .disabled = -1}, e);
}

static int verb_tags(struct user_verb *v, struct err *e)
{
	char tags[SCOPE_TAGS];

	if (tags_json(tags, v->value, e))
		return -1;
	return change(v, &(struct user_change){.tags = tags, .disabled = -1}, e);
}

static int verb_disable(struct user_verb *v, struct err *e)
{
	return change(v, &(struct user_change){.disabled = 1}, e);
}

static int verb_enable(struct user_verb *v, struct err *e)
{
	return change(v, &(struct user_change){.disabled = 0}, e);
}

static int verb_totp_off(struct user_verb *v, struct err *e)
{
	return change(v, &(struct user_change){.totp_off = true, .disabled = -1}, e);
}

static int verb_delete(struct user_verb *v, struct err *e)
{
	struct user u;

	if (tbl_user_get(v->db, v->name, &u, e))
		return -1;
	if (db_begin(v->db, e) || db_rules(v->db, e) || user_drop(v->db, &v->actor, u.id, e))
		return -1;
	return db_commit(v->db, e);
}

static int verb_list(struct user_verb *v, struct err *e)
{
	struct users users = {0};
	char when[CLOCK_TEXT];

	if (tbl_user_list(v->db, &users, e))
		return -1;
	if (v->o->json) {
		struct json_out o;
		struct buf b;

		buf_init(&b, 1 << 24);
		json_out_init(&o, &b);
		json_arr(&o, NULL);
		for (size_t i = 0; i < users.n; i++) {
			json_obj(&o, NULL);
			json_put_str(&o, "username", users.v[i].name);
			json_put_str(&o, "role", role_name(users.v[i].role));
			json_put_raw(&o, "tags", str_or(users.v[i].scope.tags, "[]"));
			json_put_bool(&o, "disabled", users.v[i].disabled);
			json_put_bool(&o, "totp", users.v[i].totp_on);
			json_put_time(&o, "created", users.v[i].created);
			json_end_obj(&o);
		}
		json_end_arr(&o);
		puts(b.p);
		buf_done(&b);
	} else {
		printf("%-24s %-12s %s\n", "USER", "ROLE", "SINCE");
		for (size_t i = 0; i < users.n; i++)
			printf("%-24s %-12s %s%s%s%s%s\n", users.v[i].name, role_name(users.v[i].role),
			       clock_rfc3339(when, users.v[i].created), users.v[i].disabled ? "  disabled" : "",
			       users.v[i].totp_on ? "  totp" : "", scope_is_all(&users.v[i].scope) ? "" : "  tags ",
			       scope_is_all(&users.v[i].scope) ? "" : users.v[i].scope.tags);
	}
	list_done(&users);
	return 0;
}

static const struct {
	const char *name, *operands, *help;
	int n;                    /* operands besides the verb */
	int (*run)(struct user_verb *v, struct err *e);
} verbs[] = {
	{"list", "", "all people who may sign in", 0, verb_list},
	{"add", "NAME", "a new one", 1, verb_add},
	{"passwd", "NAME", "a new password; ends all sessions", 1, verb_passwd},
	{"role", "NAME ROLE", "viewer, node_admin or super_admin", 2, verb_role},
	{"tags", "NAME TAG,...|none", "sees only machines with one of these tags", 2, verb_tags},
	{"disable", "NAME", "may not sign in; ends all sessions", 1, verb_disable},
	{"enable", "NAME", "may again", 1, verb_enable},
	{"totp-off", "NAME", "no one-time codes any more (telephone lost)", 1, verb_totp_off},
	{"delete", "NAME", "with sessions and API tokens", 1, verb_delete},
};

static int run_user(const char *path, const struct user_opts *o, int n, char **operands, struct err *e)
{
	CLEANUP(config_freep) struct config *c = NULL;
	CLEANUP(db_closep) struct db *db = NULL;
	struct user_verb v = {.o = o, .name = n > 1 ? operands[1] : NULL, .value = n > 2 ? operands[2] : NULL};
	size_t i = 0;
	int rc;

	while (i < ARRAY_LEN(verbs) && !str_eq(verbs[i].name, operands[0]))
		i++;
	if (i == ARRAY_LEN(verbs))
		return err_set(e, ERR_USAGE, "user \"%.40s\": --help lists what there is", operands[0]);
	if (n - 1 != verbs[i].n)
		return err_set(e, ERR_USAGE, "user %s takes %s", verbs[i].name, str_or(verbs[i].operands, "no name"));
	if (crypt_init(e) || config_load(&c, path, e) || db_open(&db, c->database, false, e) || db_migrate(db, e))
		return -1;
	v.db = db;
	v.actor = operator();
	rc = verbs[i].run(&v, e);
	if (!rc && v.made)
		printf("password of %s: %s\n(shown once, kept nowhere)\n", v.name, v.made);
	secret_freep(&v.made);
	return rc;
}

static void list_verbs(void)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		printf("  %-9s %-18s %s\n", verbs[i].name, verbs[i].operands, verbs[i].help);
	puts("");
}

int cmd_user(int argc, char **argv)
{
	CLEANUP(cmd_done) struct cmd c = {.usage = "user VERB [options]", .describe = list_verbs, .least = 1, .most = INT_MAX};
	struct user_opts o = {0};
	const struct opt opts[] = {
		{.name = "role", .type = OPT_STR, .to = &o.role, .arg = "ROLE",
		 .help = "of a new user: viewer (default), node_admin or super_admin"},
		{.name = "tags", .type = OPT_STR, .to = &o.tags, .arg = "TAG,...",
		 .help = "a new user sees only machines with one of these tags"},
		{.name = "password-file", .type = OPT_STR, .to = &o.password_file, .arg = "FILE",
		 .help = "password in its first line; without it one is made and printed once"},
		{.name = "json", .type = OPT_FLAG, .to = &o.json, .help = "list as JSON"},
		CMD_OPTS(c),
		{0},
	};
	int n, rc = cmd_start(&c, opts, argc, argv, &n);
	struct err e = {0};

	if (rc >= 0)
		return rc;
	return run_user(c.path, &o, n, argv + 1, &e) ? cmd_failed(&e) : 0;
}
