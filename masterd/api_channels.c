/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/api_channels.h"

#include <stdlib.h>
#include <string.h>

#include "masterd/api.h"
#include "masterd/channel_form.h"
#include "masterd/svc_audit.h"
#include "masterd/svc_notify.h"
#include "masterd/vault.h"
#include "shared/mem.h"
#include "shared/str.h"

enum verdict api_channels(struct req *r)
{
	CLEANUP(channels_done) struct channels l = {0};
	int64_t after = 0, limit = PAGE_DEFAULT, last = 0, next = 0;
	struct json_out *o;
	struct db *db = NULL;
	struct err e;
	int rc;

	if (!api_page(r, &after, &limit))
		return REPLY;
	rc = db_pool_take(r->m->pool, &db, &e) ? -1 : tbl_channel_list(db, &l, &e);
	db_pool_give(r->m->pool, db);
	if (rc)
		return reply_err(r, &e);
	o = api_items(r);
	for (size_t i = 0; i < l.n; i++) {
		if (l.v[i].id <= after)
			continue;
		if (!limit--) {
			next = last;
			break;
		}
		json_obj(o, NULL);
		channel_put(o, &l.v[i]);
		json_end_obj(o);
		last = l.v[i].id;
	}
	api_items_end(o, next);
	return REPLY;
}

/* ---- changes */

struct change {
	struct job job;           /* first */
	struct master *m;
	struct actor actor;
	struct alert_channel channel;
	char *secrets;            /* to be sealed; NULL: as they are */
	bool show;                /* the webhook's secret was made for it: show it, once */
};

static void change_free(void *state)
{
	struct change *c = state;

	channel_done(&c->channel);
	if (c->secrets)
		mem_wipe(c->secrets, strlen(c->secrets));
	free(c->secrets);
	free(c);
}

static struct change *begin(struct req *r)
{
	struct change *c = xcalloc(1, sizeof(*c));

	c->m = r->m;
	c->actor = actor_of(r);
	r->state = c;
	r->state_free = change_free;
	return c;
}

/* The label holds the number: a row's secrets open in no other row. */
static char *label_of(int64_t id)
{
	return xasprintf("channel %lld", (long long)id);
}

static void seal(struct change *c)
{
	CLEANUP(freep) char *label = label_of(c->channel.id);

	free(c->channel.sealed);
	c->channel.sealed = vault_seal(c->m->config->jwt_secret, label, c->secrets, strlen(c->secrets));
}

static int run_add(struct job *job, struct db *db, struct err *e)
{
	struct change *c = (struct change *)job;
	char object[AUDIT_OBJECT];

	if (!c->channel.sealed)
		c->channel.sealed = xstrdup("");
	if (tbl_channel_add(db, &c->channel, e))
		return -1;
	seal(c);
	if (tbl_channel_put(db, &c->channel, e))
		return -1;
	return AUDIT(db, &c->actor, e, "channel.add", audit_thing(object, "channel", c->channel.name), "kind",
		     channel_kind_name(c->channel.kind));
}

static int run_change(struct job *job, struct db *db, struct err *e)
{
	struct change *c = (struct change *)job;
	char object[AUDIT_OBJECT];
	struct alert_channel now;

	if (tbl_channel_get(db, c->channel.id, &now, e))
		return -1;
	seal(c);
	/* what deliveries count goes on */
	c->channel.created = now.created;
	str_cut(c->channel.created_by, sizeof(c->channel.created_by), now.created_by);
	str_cut(c->channel.last_error, sizeof(c->channel.last_error), now.last_error);
	c->channel.last_ok = now.last_ok;
	c->channel.last_failed = now.last_failed;
	c->channel.sent = now.sent;
	c->channel.dropped = now.dropped;
	c->channel.waiting = c->channel.enabled ? now.waiting : 0;
	channel_done(&now);
	/* old news are none when it is switched on again */
	if (!c->channel.enabled && tbl_delivery_clear(db, c->channel.id, e))
		return -1;
	if (tbl_channel_put(db, &c->channel, e))
		return -1;
	return AUDIT(db, &c->actor, e, "channel.change", audit_thing(object, "channel", c->channel.name), "enabled",
		     c->channel.enabled ? "true" : "false");
}

static int run_drop(struct job *job, struct db *db, struct err *e)
{
	struct change *c = (struct change *)job;
	char object[AUDIT_OBJECT];

	if (tbl_channel_get(db, c->channel.id, &c->channel, e) || tbl_channel_drop(db, c->channel.id, e))
		return -1;
	return AUDIT(db, &c->actor, e, "channel.delete", audit_thing(object, "channel", c->channel.name));
}

static enum verdict changed(struct req *r)
{
	CLEANUP(json_freep) struct json *secrets = NULL;
	struct change *c = r->state;
	struct json_out *o;

	if (c->job.rc)
		return reply_err(r, &c->job.err);
	o = reply_json(r, c->job.run == run_add ? 201 : 200);
	json_obj(o, NULL);
	channel_put(o, &c->channel);
	if (c->show && !json_parse(&secrets, c->secrets, strlen(c->secrets), NULL))
		json_put_str(o, "secret", json_get_str(secrets, "secret", NULL));
	json_end_obj(o);
	return REPLY;
}

enum verdict api_channel_add(struct req *r)
{
	CLEANUP(problems_done) struct problems p = {0};
	CLEANUP(json_freep) struct json *j = NULL;
	struct change *c;

	if (!req_json(r, &j))
		return REPLY;
	c = begin(r);
	channel_form(&c->channel, j, NULL, &c->secrets, &p);
	if (p.n)
		return reply_problems(r, &p);
	c->show = c->channel.kind == CHANNEL_WEBHOOK && !json_get_str(j, "secret", NULL);
	c->channel.created = r->now;
	str_cut(c->channel.created_by, sizeof(c->channel.created_by), r->who.name);
	return api_write(r, &c->job, run_add, changed);
}

/* The channel in {id} with its secrets opened; else the reply is set. */
static bool find(struct req *r, struct alert_channel *ret, char **secrets)
{
	CLEANUP(freep) char *label = NULL;
	struct db *db = NULL;
	struct err e;
	int64_t id;
	int rc;

	if (!req_id(r, &id))
		return false;
	rc = db_pool_take(r->m->pool, &db, &e) ? -1 : tbl_channel_get(db, id, ret, &e);
	db_pool_give(r->m->pool, db);
	if (rc) {
		reply_err(r, &e);
		return false;
	}
	label = label_of(id);
	/* sealed under an older jwt_secret: they have to be given again */
	if (vault_open(secrets, NULL, r->m->config->jwt_secret, label, ret->sealed, &e))
		*secrets = xstrdup("{}");
	return true;
}

enum verdict api_channel_change(struct req *r)
{
	CLEANUP(problems_done) struct problems p = {0};
	CLEANUP(json_freep) struct json *j = NULL;
	struct alert_channel old = {0};
	struct channel_old was = {.channel = &old};
	char *secrets = NULL;
	struct change *c;

	if (!req_json(r, &j) || !find(r, &old, &secrets))
		return REPLY;
	c = begin(r);
	was.secrets = secrets;
	channel_form(&c->channel, j, &was, &c->secrets, &p);
	mem_wipe(secrets, strlen(secrets));
	free(secrets);
	channel_done(&old);
	if (p.n)
		return reply_problems(r, &p);
	return api_write(r, &c->job, run_change, changed);
}

enum verdict api_channel_drop(struct req *r)
{
	struct change *c;
	int64_t id;

	if (!req_id(r, &id))
		return REPLY;
	c = begin(r);
	c->channel.id = id;
	return api_write(r, &c->job, run_drop, api_no_content);
}

/* ---- test */

static enum verdict tested(struct req *r)
{
	struct channel_test *t = r->state;
	struct json_out *o;

	if (t->rc)
		return t->err.kind == ERR_NOTFOUND || t->err.kind == ERR_BUSY ? reply_err(r, &t->err)
										: reply_problem(r, 502, "%s", t->err.msg);
	o = reply_json(r, 200);
	json_obj(o, NULL);
	json_put_str(o, "status", "sent");
	json_end_obj(o);
	return REPLY;
}

enum verdict api_channel_test(struct req *r)
{
	struct channel_test *t;
	int64_t id;

	if (!req_id(r, &id))
		return REPLY;
	t = xcalloc(1, sizeof(*t));
	t->ticket = &r->ticket;
	t->channel_id = id;
	r->state = t;
	r->state_free = free;
	r->then = tested;
	notifier_test(r->m->notifier, t);
	return LATER;
}
