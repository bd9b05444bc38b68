/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/tbl_channel.h"

#include <stdlib.h>

#include "shared/mem.h"
#include "shared/str.h"

static const char *const kinds[CHANNEL_KINDS] = {"webhook", "slack", "mail"};

const char *channel_kind_name(enum channel_kind k)
{
	return kinds[k];
}

int channel_kind_from(enum channel_kind *ret, const char *name)
{
	for (size_t i = 0; i < CHANNEL_KINDS; i++)
		if (str_eq(kinds[i], name)) {
			*ret = (enum channel_kind)i;
			return 0;
		}
	return -1;
}

void channel_done(struct alert_channel *c)
{
	free(c->settings);
	free(c->sealed);
	free(c->filter);
	c->settings = c->sealed = c->filter = NULL;
}

void channels_done(struct channels *l)
{
	for (size_t i = 0; i < l->n; i++)
		channel_done(&l->v[i]);
	list_done(l);
}

void deliveries_done(struct deliveries *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].doc);
	list_done(l);
}

/* ---- channels */

static int name_is_free(struct db *db, const struct alert_channel *c, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	int got;

	if (db_prepare(db, &s, "SELECT id FROM channel WHERE name=?1 AND id<>?2", e))
		return -1;
	db_set_str(&s, 1, c->name);
	db_set_int(&s, 2, c->id);
	got = db_step(&s, e);
	if (got > 0)
		return err_set(e, ERR_CONFLICT, "there is a channel %s already", c->name);
	return got;
}

static void bind(struct db_stmt *s, const struct alert_channel *c)
{
	db_set_str(s, 1, c->name);
	db_set_str(s, 2, kinds[c->kind]);
	db_set_int(s, 3, c->enabled);
	db_set_str(s, 4, c->settings);
	db_set_str(s, 5, c->sealed);
	db_set_str(s, 6, c->filter);
	db_set_int(s, 7, c->created);
	db_set_str(s, 8, c->created_by);
	db_set_int(s, 9, c->last_ok);
	db_set_int(s, 10, c->last_failed);
	db_set_str(s, 11, c->last_error);
	db_set_int(s, 12, c->sent);
	db_set_int(s, 13, c->dropped);
}

int tbl_channel_add(struct db *db, struct alert_channel *c, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (name_is_free(db, c, e) ||
	    db_prepare(db, &s,
		       "INSERT INTO channel(name,kind,enabled,settings,sealed,filter,created,created_by,last_ok,last_failed,"
		       "last_error,sent,dropped) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13) RETURNING id",
		       e))
		return -1;
	bind(&s, c);
	if (db_step(&s, e) < 0)
		return -1;
	c->id = db_int(&s, 0);
	return 0;
}

int tbl_channel_put(struct db *db, const struct alert_channel *c, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (name_is_free(db, c, e) ||
	    db_prepare(db, &s,
		       "UPDATE channel SET name=?1,kind=?2,enabled=?3,settings=?4,sealed=?5,filter=?6,created=?7,"
		       "created_by=?8,last_ok=?9,last_failed=?10,last_error=?11,sent=?12,dropped=?13 WHERE id=?14",
		       e))
		return -1;
	bind(&s, c);
	db_set_int(&s, 14, c->id);
	return db_run(&s, e);
}

static int run_by_id(struct db *db, const char *text, int64_t id, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, text, e))
		return -1;
	db_set_int(&s, 1, id);
	return db_run(&s, e);
}

int tbl_delivery_clear(struct db *db, int64_t channel_id, struct err *e)
{
	return run_by_id(db, "DELETE FROM delivery WHERE channel_id=?1", channel_id, e);
}

int tbl_channel_drop(struct db *db, int64_t id, struct err *e)
{
	return tbl_delivery_clear(db, id, e) ||
	       run_by_id(db, "DELETE FROM channel WHERE id=?1", id, e) ? -1 : 0;
}

static int read_all(struct db *db, int64_t id, struct channels *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	int got;

	if (db_prepare(db, &s,
		       "SELECT id,name,kind,enabled,settings,sealed,filter,created,created_by,last_ok,last_failed,last_error,"
		       "sent,dropped,(SELECT count(*) FROM delivery d WHERE d.channel_id=channel.id) FROM channel "
		       "WHERE ?1=0 OR id=?1 ORDER BY id",
		       e))
		return -1;
	db_set_int(&s, 1, id);
	while ((got = db_step(&s, e)) > 0) {
		enum channel_kind kind;
		struct alert_channel *c;

		if (channel_kind_from(&kind, db_str(&s, 2)))
			continue;
		c = list_push(ret);
		c->id = db_int(&s, 0);
		str_cut(c->name, sizeof(c->name), db_str(&s, 1));
		c->kind = kind;
		c->enabled = db_int(&s, 3) != 0;
		c->settings = xstrdup(db_str(&s, 4));
		c->sealed = xstrdup(db_str(&s, 5));
		c->filter = xstrdup(db_str(&s, 6));
		c->created = db_int(&s, 7);
		str_cut(c->created_by, sizeof(c->created_by), db_str(&s, 8));
		c->last_ok = db_int(&s, 9);
		c->last_failed = db_int(&s, 10);
		str_cut(c->last_error, sizeof(c->last_error), db_str(&s, 11));
		c->sent = db_int(&s, 12);
		c->dropped = db_int(&s, 13);
		c->waiting = db_int(&s, 14);
	}
	return got;
}

int tbl_channel_list(struct db *db, struct channels *ret, struct err *e)
{
	return read_all(db, 0, ret, e);
}

int tbl_channel_get(struct db *db, int64_t id, struct alert_channel *ret, struct err *e)
{
	CLEANUP(channels_done) struct channels l = {0};

	if (read_all(db, id, &l, e))
		return -1;
	if (!l.n)
		return err_set(e, ERR_NOTFOUND, "there is no channel %lld", (long long)id);
	*ret = l.v[0];
	l.v[0] = (struct alert_channel){0};
	return 0;
}

int tbl_channel_told(struct db *db, int64_t id, int64_t now, const char *error, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s,
		       *error ? "UPDATE channel SET last_failed=?2,last_error=?3 WHERE id=?1"
			      : "UPDATE channel SET last_ok=?2,last_error=?3,sent=sent+1 WHERE id=?1",
		       e))
		return -1;
	db_set_int(&s, 1, id);
	db_set_int(&s, 2, now);
	db_set_str(&s, 3, error);
	return db_run(&s, e);
}

/* ---- notices */

int tbl_delivery_add(struct db *db, int64_t channel_id, int64_t at, const char *doc, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, "INSERT INTO delivery(channel_id,at,batch,doc) VALUES(?1,?2,'',?3)", e))
		return -1;
	db_set_int(&s, 1, channel_id);
	db_set_int(&s, 2, at);
	db_set_str(&s, 3, doc);
	return db_run(&s, e);
}

/* check-size: which rows, and where they go */
static int read_deliveries(struct db *db, const char *text, int64_t channel_id, int64_t max, struct deliveries *ret,
			   struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	int got;

	if (db_prepare(db, &s, text, e))
		return -1;
	db_set_int(&s, 1, channel_id);
	db_set_int(&s, 2, max);
	while ((got = db_step(&s, e)) > 0) {
		struct delivery *d = list_push(ret);

		d->id = db_int(&s, 0);
		d->channel_id = channel_id;
		d->at = db_int(&s, 1);
		str_cut(d->batch, sizeof(d->batch), db_str(&s, 2));
		d->doc = xstrdup(db_str(&s, 3));
	}
	return got;
}

int tbl_delivery_next(struct db *db, int64_t channel_id, int64_t max, struct deliveries *ret, struct err *e)
{
	if (read_deliveries(db, "SELECT id,at,batch,doc FROM delivery WHERE channel_id=?1 AND batch<>'' ORDER BY id LIMIT ?2",
			    channel_id, max, ret, e))
		return -1;
	return ret->n ? 0
		      : read_deliveries(db,
					"SELECT id,at,batch,doc FROM delivery WHERE channel_id=?1 ORDER BY id LIMIT ?2",
					channel_id, max, ret, e);
}

int tbl_delivery_batch(struct db *db, int64_t channel_id, int64_t last, const char *batch, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, "UPDATE delivery SET batch=?1 WHERE channel_id=?2 AND id<=?3 AND batch=''", e))
		return -1;
	db_set_str(&s, 1, batch);
	db_set_int(&s, 2, channel_id);
	db_set_int(&s, 3, last);
	return db_run(&s, e);
}

int tbl_delivery_drop(struct db *db, const char *batch, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, "DELETE FROM delivery WHERE batch=?1", e))
		return -1;
	db_set_str(&s, 1, batch);
	return db_run(&s, e);
}
