/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/cmd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "masterd/config.h"
#include "masterd/db_copy.h"
#include "masterd/svc_lead.h"
#include "shared/buf.h"
#include "shared/clock.h"
#include "shared/fs.h"
#include "shared/json.h"
#include "shared/mem.h"
#include "shared/opt.h"
#include "shared/str.h"

enum { CONFIG_MAX = 1 << 20 };

struct migrate_opts {
	const char *to;
	bool change;
};

static void told(const struct copy_step *step)
{
	if (step->done)
		printf("ok  %s, %lld rows\n", step->table, (long long)step->rows);
	else
		fprintf(stderr, "%s: %lld rows ...\n", step->table, (long long)step->rows);
}

/* The same file with another database; whoever owned it owns it still. */
static int write_config(const char *path, const char *url, struct err *e)
{
	CLEANUP(json_freep) struct json *root = NULL;
	CLEANUP(buf_done) struct buf b = {0};
	struct json_out o;
	struct stat st;

	if (json_parse_file(&root, path, CONFIG_MAX, e))
		return -1;
	if (stat(path, &st))
		return err_sys(e, ERR_IO, "%s", path);
	buf_init(&b, CONFIG_MAX);
	json_out_init(&o, &b);
	o.pretty = true;
	json_obj(&o, NULL);
	json_put_str(&o, "database", url);
	for (const struct json *j = json_first(root); j; j = json_next(j))
		if (!str_eq(json_key(j), "database"))
			json_put(&o, json_key(j), j);
	json_end_obj(&o);
	buf_addc(&b, '\n');
	if (buf_check(&b, path, e) || fs_write(path, b.p, b.len, 0600, e))
		return -1;
	if (geteuid() == 0 && chown(path, st.st_uid, st.st_gid))
		return err_sys(e, ERR_IO, "give %s to its owner", path);
	return 0;
}

static int want_idle(struct db *db, struct err *e)
{
	bool held;

	if (lead_held(db, &held, e))
		return -1;
	return held ? err_set(e, ERR_LOCKED, "a master runs on this database, or ended in the last %d s without a farewell: "
			      "stop every one of them first", LEAD_MS / 1000) : 0;
}

static int copy(const struct config *c, const char *url, struct err *e)
{
	CLEANUP(db_closep) struct db *from = NULL;
	CLEANUP(db_closep) struct db *to = NULL;
	bool file = str_starts(c->database, "sqlite:");

	if (str_eq(url, c->database))
		return err_set(e, ERR_USAGE, "this is the database that the master has now");
	/* to open a file for writing makes it */
	if (file && !fs_exists(c->database + strlen("sqlite:")))
		return err_set(e, ERR_NOTFOUND, "%s is not there", c->database);
	if (db_open(&from, c->database, false, e) || want_idle(from, e) || db_open(&to, url, false, e))
		return -1;
	return db_copy(from, to, told, e);
}

static int migrate(const char *path, const struct migrate_opts *o, struct err *e)
{
	CLEANUP(config_freep) struct config *c = NULL;
	CLEANUP(freep) char *url = cmd_whole_url(o->to);
	CLEANUP(freep) char *shown = db_shown(url);

	if (config_load(&c, path, e) || copy(c, url, e) || cmd_give_database(c->user, url, e))
		return -1;
	printf("everything is in %s\n", shown);
	if (!o->change) {
		printf("next: set \"database\" in %s to this address and start the master\n", path);
		return 0;
	}
	if (write_config(path, url, e))
		return -1;
	printf("%s names it from now on; the old database is as it was\n", path);
	return 0;
}

int cmd_migrate(int argc, char **argv)
{
	CLEANUP(cmd_done) struct cmd c = {.usage = "migrate --to URL [options]"};
	struct migrate_opts o = {0};
	const struct opt opts[] = {
		{.name = "to", .type = OPT_STR, .to = &o.to, .arg = "URL",
		 .help = "where to: postgresql://user@host/name or sqlite:/path, an empty one; - reads it from standard input"},
		{.name = "switch", .type = OPT_FLAG, .to = &o.change, .help = "then write the new address into master.json"},
		CMD_OPTS(c),
		{0},
	};
	int rc = cmd_start(&c, opts, argc, argv, NULL);
	struct err e = {0};

	if (rc >= 0)
		return rc;
	if (!o.to) {
		err_fill(&e, ERR_USAGE, 0, "where to? migrate --to postgresql://user@host/name");
		return cmd_failed(&e);
	}
	return migrate(c.path, &o, &e) ? cmd_failed(&e) : 0;
}
