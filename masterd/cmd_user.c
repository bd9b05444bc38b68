/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "masterd/config.h"
#include "masterd/pwq.h"
#include "masterd/tbl_user.h"
#include "shared/clock.h"
#include "shared/crypt.h"
#include "shared/fs.h"
#include "shared/hash.h"
#include "shared/json.h"
#include "shared/mem.h"
#include "shared/opt.h"
#include "shared/str.h"

enum { PASSWORD_MIN = 8, RANDOM_LEN = 18 };

struct user_opts {
	const char *config, *state, *role, *password_file;
	bool json, help;
};

char *cmd_config_path(const char *given, const char *state)
{
	const char *env = getenv("FELLOE_MASTER_CONFIG");

	if (given)
		return xstrdup(given);
	if (!str_empty(env))
		return xstrdup(env);
	if (str_empty(state))
		state = getenv("FELLOE_STATE");
	return str_empty(state) ? xstrdup(FELLOE_SYSCONFDIR "/master.json") : xasprintf("%s/master.json", state);
}

int cmd_parse(const struct opt *opts, int argc, char **argv, int most, struct err *e)
{
	int n;

	if (opt_parse(opts, argc, argv, &n, e))
		return -1;
	return n <= most ? 0 : err_set(e, ERR_USAGE, "\"%.80s\" is too much; --help tells what %s takes", argv[most + 1],
				      argv[0]);
}

int cmd_failed(const struct err *e)
{
	char text[ERR_MSG_MAX];

	/* line by line: several problems of a configuration stand below each other */
	str_cut(text, sizeof(text), e->msg);
	for (char *line = text, *end; line; line = end ? end + 1 : NULL) {
		end = strchr(line, '\n');
		if (end)
			*end = '\0';
		str_clean(line);
		fprintf(stderr, "%s%s\n", line == text ? "felloe-masterd: " : "", line);
	}
	return err_exit_code(e->kind);
}

/* 18 of 32 letters and digits that are not mistaken for each other: 90 bits. */
static char *random_password(void)
{
	static const char alphabet[] = "abcdefghijkmnpqrstuvwxyz23456789";
	uint8_t random[RANDOM_LEN];
	char *text = xmalloc(RANDOM_LEN + 1);

	random_bytes(random, sizeof(random));
	for (size_t i = 0; i < RANDOM_LEN; i++)
		text[i] = alphabet[random[i] % 32];
	text[RANDOM_LEN] = '\0';
	return text;
}

static void secret_freep(char **s)
{
	if (*s)
		mem_wipe(*s, strlen(*s));
	free(*s);
}

/* Hash of the password in the file, or of a random one. */
static int new_password(char hash[static CRYPT_PW_TEXT], const char *file, char **made, struct err *e)
{
	CLEANUP(secret_freep) char *password = NULL;
	size_t n;

	if (!file) {
		*made = random_password();
		return crypt_pw_hash(hash, *made, e);
	}
	if (fs_read_secret(&password, file, e))
		return -1;
	n = strlen(password);
	if (n < PASSWORD_MIN || n > PW_MAX)
		return err_set(e, ERR_INVALID, "the password in %s has %zu characters: it needs %d to %d", file, n,
			       PASSWORD_MIN, PW_MAX);
	return crypt_pw_hash(hash, password, e);
}

int cmd_add_user(struct db *db, const char *name, const char *role, const char *password_file, char **made,
		 struct err *e)
{
	struct user u = {.created = clock_ms()};

	*made = NULL;
	if (!str_is_name(name) || str_copy(u.name, sizeof(u.name), name))
		return err_set(e, ERR_INVALID, "user \"%.80s\": a name has 1 to 64 of A-Z a-z 0-9 . _ -", name);
	if (role_from(&u.role, role))
		return err_set(e, ERR_USAGE, "role \"%.40s\": use viewer, node_admin or super_admin", role);
	if (new_password(u.password, password_file, made, e))
		return -1;
	if (db_begin(db, e) || db_rules(db, e) || tbl_user_add(db, &u, e))
		return -1;
	return db_commit(db, e);
}

static int set_password(struct db *db, const char *name, const char *file, char **made, struct err *e)
{
	char hash[CRYPT_PW_TEXT];
	struct user u;

	if (tbl_user_get(db, name, &u, e) || new_password(hash, file, made, e))
		return -1;
	if (db_begin(db, e) || db_rules(db, e) || tbl_user_set_password(db, u.id, hash, e))
		return -1;
	return db_commit(db, e);
}

static int list_users(struct db *db, bool json, struct err *e)
{
	struct users users = {0};
	char when[CLOCK_TEXT];

	if (tbl_user_list(db, &users, e))
		return -1;
	if (json) {
		struct json_out o;
		struct buf b;

		buf_init(&b, 1 << 24);
		json_out_init(&o, &b);
		json_arr(&o, NULL);
		for (size_t i = 0; i < users.n; i++) {
			json_obj(&o, NULL);
			json_put_str(&o, "username", users.v[i].name);
			json_put_str(&o, "role", role_name(users.v[i].role));
			json_put_bool(&o, "disabled", users.v[i].disabled);
			json_put_time(&o, "created", users.v[i].created);
			json_end_obj(&o);
		}
		json_end_arr(&o);
		puts(b.p);
		buf_done(&b);
	} else {
		printf("%-24s %-12s %s\n", "USER", "ROLE", "SINCE");
		for (size_t i = 0; i < users.n; i++)
			printf("%-24s %-12s %s%s\n", users.v[i].name, role_name(users.v[i].role),
			       clock_rfc3339(when, users.v[i].created), users.v[i].disabled ? "  disabled" : "");
	}
	list_done(&users);
	return 0;
}

static int run_user(const struct user_opts *o, const char *what, const char *name, struct err *e)
{
	CLEANUP(config_freep) struct config *c = NULL;
	CLEANUP(db_closep) struct db *db = NULL;
	CLEANUP(secret_freep) char *made = NULL;
	CLEANUP(freep) char *path = cmd_config_path(o->config, o->state);
	int rc;

	if (crypt_init(e) || config_load(&c, path, e) || db_open(&db, c->database, false, e) || db_migrate(db, e))
		return -1;
	if (str_eq(what, "list"))
		return list_users(db, o->json, e);
	if (!name)
		return err_set(e, ERR_USAGE, "user %s needs a NAME", what);
	if (str_eq(what, "add"))
		rc = cmd_add_user(db, name, o->role ? o->role : "viewer", o->password_file, &made, e);
	else if (str_eq(what, "passwd"))
		rc = set_password(db, name, o->password_file, &made, e);
	else
		return err_set(e, ERR_USAGE, "user \"%.40s\": use add, list or passwd", what);
	if (!rc && made)
		printf("password of %s: %s\n(shown once, kept nowhere)\n", name, made);
	return rc;
}

int cmd_user(int argc, char **argv)
{
	struct user_opts o = {0};
	const struct opt opts[] = {
		{.name = "config", .letter = 'c', .type = OPT_STR, .to = &o.config, .arg = "FILE", .help = "master.json"},
		{.name = "state", .type = OPT_STR, .to = &o.state, .arg = "DIR", .help = "state directory"},
		{.name = "role", .type = OPT_STR, .to = &o.role, .arg = "ROLE",
		 .help = "viewer (default), node_admin or super_admin"},
		{.name = "password-file", .type = OPT_STR, .to = &o.password_file, .arg = "FILE",
		 .help = "password in its first line; without it one is made and printed once"},
		{.name = "json", .type = OPT_FLAG, .to = &o.json, .help = "list as JSON"},
		{.name = "help", .letter = 'h', .type = OPT_FLAG, .to = &o.help, .help = "this text"},
		{0},
	};
	struct err e = {0};
	int n;

	if (opt_parse(opts, argc, argv, &n, &e))
		return cmd_failed(&e);
	if (o.help || n < 1 || n > 2) {
		puts("Usage: felloe-masterd user add|passwd NAME [options]\n       felloe-masterd user list [--json]\n");
		opt_help(opts);
		return o.help ? 0 : 2;
	}
	if (o.state)
		fs_set_state(o.state);
	return run_user(&o, argv[1], n > 1 ? argv[2] : NULL, &e) ? cmd_failed(&e) : 0;
}
