/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/restore_priv.h"

#include "noded/mysql/accounts_load.h"
#include "shared/mem.h"

/* Accounts, roles and grants: before the database, so that definers exist, and
 * again behind it, for rights on single tables and routines. */

#define ACCOUNTS "users/accounts.sql"
enum { ACCOUNTS_MAX = 64 << 20 };

static int found(void *ctx, const struct archive_entry *entry, struct err *e)
{
	bool *there = ctx;

	(void)entry;
	(void)e;
	*there = true;
	return 1;
}

int restore_look_at_users(struct restore *r, struct obstacles *obstacles, struct err *e)
{
	bool there = false;

	if (!r->o->with_users)
		return 0;
	if (archive_list(r->opened.reader, ACCOUNTS, found, &there, e))
		return -1;
	if (!there)
		obstacle_add(obstacles, ERR_NOTFOUND, "the archive has no accounts for --with-users: the site was backed up without "
			     "db_users");
	else if (r->o->dry_run)
		job_say(r->o->job, "accounts, roles and grants would be restored; accounts that are there would stay as they are");
	return 0;
}

int restore_users(struct restore *r, bool behind, struct err *e)
{
	CLEANUP(buf_done) struct buf b = {0};
	struct accounts_text text = {.lenient = true};
	struct accounts_loaded loaded;

	if (!r->o->with_users)
		return 0;
	buf_init(&b, ACCOUNTS_MAX);
	if (archive_read_small(r->opened.reader, ACCOUNTS, &b, e))
		return -1;
	text.sql = b.p;
	text.n = b.len;
	if (accounts_load(&r->access, &text, &loaded, e))
		return err_wrap(e, ACCOUNTS);
	if (!behind)
		job_say(r->o->job, "%u statements about accounts, roles and rights; accounts that are there keep their passwords",
			loaded.statements);
	else if (loaded.left)
		job_warn(r->o->job, "%u statements about accounts were refused, the first: %s", loaded.left, loaded.first_left);
	return 0;
}
