/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/restore_priv.h"

#include <inttypes.h>
#include <string.h>
#include <sys/statvfs.h>

#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"

int restore_look_at_database(struct restore *r, struct err *e)
{
	CLEANUP(prefixes_done) struct prefixes p = {0};
	const struct json *db = json_get(r->opened.manifest, "database");
	struct server_facts facts;
	struct sum sum;

	if (!*r->source_db)
		return err_set(e, ERR_NOTFOUND, "%s holds no database", r->opened.key);
	if (restore_tables_known(r, e) || restore_choose_access(r, e) || restore_look_server(r, &facts, e))
		return -1;
	/* what speaks against a swap already now: nothing is loaded for it then */
	if (r->o->in_place && restore_can_swap(r, e))
		return -1;
	restore_database_prefixes(r, &p);
	if (restore_measure(r, &p, false, &sum, e))
		return -1;
	r->wanted += sum.bytes;
	if (facts.there)
		return err_set(e, ERR_CONFLICT, "the schema `%s` exists on the server (%" PRId64 " tables): name another one with "
			       "--to-db, or drop it", r->target_db, facts.tables);
	if (!r->o->dry_run)
		return 0;
	job_say(r->o->job, "database %s (%" PRIu64 " members, %" PRIu64 " bytes of SQL) would be loaded into `%s` as %s%s",
		r->source_db, sum.members, sum.bytes, r->target_db, facts.account,
		restore_root_at_hand(r) ? ", or as root over the socket where it may not" : "");
	job_say(r->o->job, "dumped from %s, server here is %s", json_get_str(db, "server_version", "?"), facts.version);
	if (json_get_int(db, "events", 0) && facts.events_on)
		job_warn(r->o->job, "%" PRId64 " events would run in the copy too: the event scheduler of the server is on",
			 json_get_int(db, "events", 0));
	return 0;
}

int restore_look_at_files(struct restore *r, struct err *e)
{
	CLEANUP(prefixes_done) struct prefixes p = {0};
	CLEANUP(freep) char *parent = xstrdup(r->target_dir);
	char need[UNITS_TEXT], have[UNITS_TEXT];
	struct statvfs fs;
	struct sum sum;
	char *slash;

	if (restore_files_prefixes(r, &p, e) || restore_measure(r, &p, true, &sum, e))
		return -1;
	r->wanted += sum.bytes;
	slash = strrchr(parent, '/');
	if (slash)
		slash[slash == parent] = '\0';
	if (statvfs(slash ? parent : ".", &fs))
		return err_sys(e, ERR_IO, "look at %s", slash ? parent : ".");
	if (sum.bytes > (uint64_t)fs.f_bavail * fs.f_frsize)
		return err_set(e, ERR_SPACE, "%s: the files need %s, %s are free", r->target_dir, units_bytes(need, sum.bytes),
			       units_bytes(have, (uint64_t)fs.f_bavail * fs.f_frsize));
	if (r->o->dry_run)
		job_say(r->o->job, "%" PRIu64 " files (%s) would be unpacked into %s", sum.members, units_bytes(need, sum.bytes),
			r->target_dir);
	return 0;
}
