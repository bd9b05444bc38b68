/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/restore_priv.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "noded/site.h"
#include "shared/mem.h"
#include "shared/str.h"

static bool local_host(const char *host)
{
	return !*host || *host == '/' || str_starts(host, "localhost") || str_starts(host, "127.0.0.1") ||
	       str_starts(host, "[::1]");
}

/* Whoever restores as root on the machine of the server needs no password: the
 * usual server trusts its socket. */
static void use_root(struct restore *r)
{
	char *host = xstrdup(strchr(r->access.host, '/') ? r->access.host : r->socket);

	db_access_done(&r->access);
	r->access = (struct db_access){.host = host, .user = xstrdup("root"), .password = xstrdup(""),
				       .ssl = xstrdup("off"), .ssl_ca = xstrdup("")};
}

int restore_choose_access(struct restore *r, struct err *e)
{
	char *db_name = NULL;

	if (r->access_ours)
		return 0; /* looked at twice */
	if (r->o->access) {
		r->access = *r->o->access;
		return 0;
	}
	if (!r->o->site)
		return err_set(e, ERR_USAGE, "the site is not in the configuration: say with --db-host, --db-user and "
			       "--db-password-file where to restore the database");
	r->access_ours = true;
	if (site_db(&r->access, &db_name, r->o->site, e))
		return -1;
	free(db_name);
	return 0;
}

bool restore_local(const struct restore *r)
{
	return local_host(r->access.host);
}

/* Root over the socket could do what the account may not. */
static bool root_at_hand(const struct restore *r)
{
	return r->access_ours && geteuid() == 0 && !str_eq(r->access.user, "root") && local_host(r->access.host);
}

static bool root_may_help(const struct restore *r, const struct err *e)
{
	return (e->kind == ERR_DENIED || e->kind == ERR_FORBIDDEN) && root_at_hand(r);
}

int restore_look_server(struct restore *r, struct server_facts *facts, struct err *e)
{
	struct err why;

	if (server_look(&r->access, r->target_db, facts, e) == 0) {
		str_cut(r->identity, sizeof(r->identity), facts->identity);
		str_cut(r->socket, sizeof(r->socket), facts->socket);
		r->cluster = facts->cluster;
		return 0;
	}
	if (!root_may_help(r, e))
		return -1;
	job_say(r->o->job, "%s; trying root over the socket", e->msg);
	use_root(r);
	if (server_look(&r->access, r->target_db, facts, &why))
		return err_set(e, why.kind, "%s; --db-host, --db-user and --db-password-file name another account", why.msg);
	return 0;
}

/* A port of this machine may lead into a container: what listens on the path of
 * its socket here is another server then. */
static int same_server(struct restore *r, struct err *e)
{
	struct server_facts facts;

	if (server_look(&r->access, "", &facts, e))
		return -1;
	if (*r->identity && !str_eq(facts.identity, r->identity))
		return err_set(e, ERR_DENIED, "root over the socket is not the way: another server (%s) than the site's (%s) "
			       "listens there; give an account with --db-host, --db-user and --db-password-file",
			       facts.identity, r->identity);
	return 0;
}

bool restore_become_root(struct restore *r, const char *why)
{
	struct db_access site = r->access;
	struct err e;

	if (!root_at_hand(r))
		return false;
	/* use_root frees what is in use: kept here until root has answered */
	r->access = (struct db_access){.host = xstrdup(site.host), .user = xstrdup(""), .password = xstrdup(""),
				       .ssl = xstrdup(""), .ssl_ca = xstrdup("")};
	use_root(r);
	if (same_server(r, &e)) {
		db_access_done(&r->access);
		r->access = site;
		job_say(r->o->job, "%s", e.msg);
		return false;
	}
	db_access_done(&site);
	job_say(r->o->job, "%s; trying root over the socket", why);
	return true;
}

int restore_open_load(struct restore *r, struct err *e)
{
	const struct load_opts o = {.access = &r->access, .db = r->target_db, .create = !r->resumed && !r->made, .label = r->label, .definer = "keep",
				    .rewrite = restore_change, .rewrite_ctx = r,
				    .shorten = restore_shorten, .shorten_ctx = r};

	if (load_open(&r->load, &o, e) == 0)
		return 0;
	if (!root_may_help(r, e))
		return -1;
	job_say(r->o->job, "%s; trying root over the socket", e->msg);
	use_root(r);
	return same_server(r, e) || load_open(&r->load, &o, e) ? -1 : 0;
}
