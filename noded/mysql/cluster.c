/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/cluster.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "noded/mysql/conn.h"
#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { LOOK_MS = 100 };

static bool on(const char *value)
{
	return str_ieq(value, "ON") || str_eq(value, "1");
}

static void take_variable(struct cluster *k, const char *name, const char *value)
{
	if (str_ieq(name, "wsrep_on"))
		k->there = on(value);
	else if (str_ieq(name, "wsrep_provider"))
		k->alone = str_empty(value) || str_ieq(value, "none");
	else if (str_ieq(name, "wsrep_cluster_name"))
		str_cut(k->name, sizeof(k->name), value);
	else if (str_ieq(name, "wsrep_node_name"))
		str_cut(k->node, sizeof(k->node), value);
	else if (str_ieq(name, "wsrep_desync"))
		k->desynced = on(value);
	else if (str_ieq(name, "wsrep_max_ws_rows"))
		k->max_rows = strtoll(value, NULL, 10);
	else if (str_ieq(name, "wsrep_max_ws_size"))
		k->max_bytes = strtoll(value, NULL, 10);
	else if (str_ieq(name, "wsrep_replicate_myisam")) /* before MariaDB 10.6 */
		k->myisam = k->myisam || on(value);
	if (!str_ieq(name, "wsrep_mode"))
		return;
	k->myisam = k->myisam || strcasestr(value, "REPLICATE_MYISAM");
	k->aria = strcasestr(value, "REPLICATE_ARIA");
}

static void take_status(struct cluster *k, const char *name, const char *value)
{
	if (str_ieq(name, "wsrep_cluster_state_uuid"))
		str_cut(k->uuid, sizeof(k->uuid), value);
	else if (str_ieq(name, "wsrep_cluster_status"))
		str_cut(k->status, sizeof(k->status), value);
	else if (str_ieq(name, "wsrep_local_state_comment"))
		str_cut(k->state, sizeof(k->state), value);
	else if (str_ieq(name, "wsrep_ready"))
		k->ready = on(value);
	else if (str_ieq(name, "wsrep_cluster_size"))
		k->size = strtoll(value, NULL, 10);
	else if (str_ieq(name, "wsrep_last_committed"))
		k->seqno = strtoll(value, NULL, 10);
}

/* SHOW, because SELECT is refused by a node without its cluster. */
static void each(struct cluster *k, struct conn *c, const char *sql, void (*take)(struct cluster *, const char *, const char *))
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;

	if (conn_rows(c, &r, sql, NULL))
		return;
	while ((row = mysql_fetch_row(r)))
		take(k, str_or(row[0], ""), str_or(row[1], ""));
}

void cluster_look(struct cluster *ret, struct conn *c)
{
	struct cluster k = {0};

	each(&k, c, "SHOW GLOBAL VARIABLES LIKE 'wsrep\\_%'", take_variable);
	k.there = k.there && !k.alone;
	if (k.there)
		each(&k, c, "SHOW GLOBAL STATUS LIKE 'wsrep\\_%'", take_status);
	*ret = k.there ? k : (struct cluster){0};
}

static bool has_data(const struct cluster *k)
{
	return k->ready && str_ieq(k->status, "Primary");
}

static int refuse(const struct cluster *k, struct err *e)
{
	char who[ERR_MSG_MAX / 2];

	cluster_text(k, who, sizeof(who));
	if (!has_data(k))
		return err_set(e, ERR_DB, "%s has no cluster now (wsrep_cluster_status %s, %s): what it has may be old; back up another "
			       "node, or bring the cluster together first", who, k->status, k->state);
	return err_set(e, ERR_DB, "%s is behind the others (wsrep_local_state_comment %s): what it has may be old; back up another node, "
		       "%s", who, k->state, k->desynced ? "or SET GLOBAL wsrep_desync=OFF here" : "or wait until it is Synced");
}

int cluster_in_step(struct cluster *ret, struct conn *c, int64_t wait_s, struct err *e)
{
	int64_t until = clock_mono_ms() + wait_s * 1000;

	for (;;) {
		cluster_look(ret, c);
		if (!ret->there || (has_data(ret) && str_ieq(ret->state, "Synced")))
			return 0;
		if (!has_data(ret) || ret->desynced || clock_mono_ms() >= until)
			return refuse(ret, e);
		clock_sleep_ms(LOOK_MS);
	}
}

void cluster_mark(struct cluster *k, struct conn *c, bool exact)
{
	if (!k->there)
		return;
	each(k, c, "SHOW GLOBAL STATUS LIKE 'wsrep_last_committed'", take_status);
	k->exact = exact;
}

bool cluster_keeps(const struct cluster *k, const char *engine)
{
	if (!k->there || str_ieq(engine, "InnoDB"))
		return false;
	return !(k->myisam && str_ieq(engine, "MyISAM")) && !(k->aria && str_ieq(engine, "Aria"));
}

void cluster_text(const struct cluster *k, char *to, size_t max)
{
	*to = '\0';
	if (k->there)
		snprintf(to, max, "node %s of the cluster %s (%" PRId64 " node%s)", k->node, k->name, k->size, k->size == 1 ? "" : "s");
	str_clean(to);
}

void cluster_put(const struct cluster *k, struct json_out *o)
{
	if (!k->there) {
		json_put_null(o, "cluster");
		return;
	}
	json_obj(o, "cluster");
	json_put_str(o, "name", k->name);
	json_put_str(o, "node", k->node);
	json_put_str(o, "uuid", k->uuid);
	json_put_int(o, "seqno", k->seqno);
	json_put_bool(o, "exact", k->exact);
	json_end_obj(o);
}
