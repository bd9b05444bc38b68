/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/cmd.h"

#include <stdio.h>

#include "masterd/config.h"
#include "masterd/selfsign.h"
#include "masterd/tbl_user.h"
#include "shared/fs.h"
#include "shared/mem.h"
#include "shared/opt.h"

static int check(const char *path, struct err *e)
{
	CLEANUP(config_freep) struct config *c = NULL;
	CLEANUP(db_closep) struct db *db = NULL;
	struct users users = {0};
	uint8_t spki[32];
	char pin[64], about[DB_ABOUT];
	CLEANUP(freep) char *shown = NULL;
	size_t admins = 0;
	int pending;

	if (config_load(&c, path, e))
		return -1;
	printf("ok  %s\n", path);
	if (c->tls_cert) {
		if (cert_spki(c->tls_cert, spki, e))
			return -1;
		spki_text(pin, spki);
		printf("ok  TLS %s, public key %s\n", c->tls_cert, pin);
	}
	shown = db_shown(c->database);
	if (db_open(&db, c->database, true, e) || db_pending(db, &pending, e) || db_judge(db, about, e) ||
	    tbl_user_list(db, &users, e))
		return -1;
	for (size_t i = 0; i < users.n; i++)
		admins += users.v[i].role == ROLE_SUPER_ADMIN && !users.v[i].disabled;
	printf("ok  %s, %s, %zu users\n", shown, about, users.n);
	if (pending)
		printf("ok  %d migrations are left for the next start\n", pending);
	list_done(&users);
	if (!admins)
		return err_set(e, ERR_CONFIG, "no user is super_admin: felloe-masterd user add NAME --role super_admin");
	return 0;
}

int cmd_check(int argc, char **argv)
{
	const char *config = NULL, *state = NULL;
	bool help = false;
	const struct opt opts[] = {
		{.name = "config", .letter = 'c', .type = OPT_STR, .to = &config, .arg = "FILE", .help = "master.json"},
		{.name = "state", .type = OPT_STR, .to = &state, .arg = "DIR", .help = "state directory"},
		{.name = "help", .letter = 'h', .type = OPT_FLAG, .to = &help, .help = "this text"},
		{0},
	};
	CLEANUP(freep) char *path = NULL;
	struct err e = {0};

	if (cmd_parse(opts, argc, argv, 0, &e))
		return cmd_failed(&e);
	if (help) {
		puts("Usage: felloe-masterd check [options]\n");
		opt_help(opts);
		return 0;
	}
	if (state)
		fs_set_state(state);
	path = cmd_config_path(config, state);
	return check(path, &e) ? cmd_failed(&e) : 0;
}
