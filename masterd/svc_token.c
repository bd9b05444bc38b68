/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/svc_token.h"

#include <stdio.h>
#include <stdlib.h>

#include "shared/clock.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"

char *token_make(char text[static API_TOKEN_TEXT])
{
	CLEANUP(freep) char *random_text = NULL;
	uint8_t random[32];

	random_bytes(random, sizeof(random));
	random_text = base64url_encode(random, sizeof(random));
	snprintf(text, API_TOKEN_TEXT, API_TOKEN_PREFIX "%s", random_text);
	mem_wipe(random, sizeof(random));
	mem_wipe(random_text, 43);
	return text;
}

static int judge_role(struct db *db, const struct token *t, struct err *e)
{
	struct user maker;

	if (tbl_user_by_id(db, t->account_id, &maker, e))
		return -1;
	if (maker.disabled || maker.role < t->role)
		return err_set(e, ERR_FORBIDDEN, "a token may not have a higher role than its maker, who is %s",
			       role_name(maker.role));
	return 0;
}

static int tell(struct db *db, const struct actor *a, const char *action, const char *object, const struct token *t,
		struct err *e)
{
	char words[TOKEN_WORDS], until[CLOCK_TEXT];

	return AUDIT(db, a, e, action, object, "name", t->name, "role", role_name(t->role), "tags",
		     str_or(t->scope.tags, "[]"), "scopes", token_words(words, t->may), "expires",
		     clock_rfc3339(until, t->expires));
}

int token_add(struct db *db, const struct actor *a, struct token *t, struct err *e)
{
	char object[AUDIT_OBJECT];
	struct tokens all = {0};
	bool full;

	if (judge_role(db, t, e))
		return -1;
	if (tbl_token_list(db, 0, TOKENS_MAX, &all, e)) {
		list_done(&all);
		return -1;
	}
	full = all.n >= TOKENS_MAX;
	list_done(&all);
	if (full)
		return err_set(e, ERR_CONFLICT, "there are %d API tokens already: delete some first", TOKENS_MAX);
	if (tbl_token_add(db, t, e))
		return -1;
	return tell(db, a, "api_token.add", audit_thing(object, "API token", t->name), t, e);
}

int token_change(struct db *db, const struct actor *a, const struct token_change *c, struct token *ret, struct err *e)
{
	char object[AUDIT_OBJECT];

	if (tbl_token_get(db, c->to.id, ret, e))
		return -1;
	audit_thing(object, "API token", ret->name);
	if (c->to.name[0])
		str_cut(ret->name, sizeof(ret->name), c->to.name);
	if (c->role)
		ret->role = c->to.role;
	if (c->tags)
		ret->scope = c->to.scope;
	if (c->to.may)
		ret->may = c->to.may;
	if (c->to.expires)
		ret->expires = c->to.expires;
	if (ret->role == ROLE_SUPER_ADMIN && !scope_is_all(&ret->scope))
		return err_set(e, ERR_INVALID, "tags do not limit a super_admin");
	return judge_role(db, ret, e) || tbl_token_put(db, ret, e) ? -1 : tell(db, a, "api_token.change", object, ret, e);
}

int token_drop(struct db *db, const struct actor *a, int64_t id, struct err *e)
{
	char object[AUDIT_OBJECT];
	struct token t;

	if (tbl_token_get(db, id, &t, e) || tbl_token_drop(db, id, e))
		return -1;
	return AUDIT(db, a, e, "api_token.delete", audit_thing(object, "API token", t.name), "made_by", t.owner);
}

struct use {
	struct job job;           /* first */
	int64_t id, at;
	char peer[64];
};

static int run_used(struct job *j, struct db *db, struct err *e)
{
	const struct use *u = (const struct use *)j;

	return tbl_token_used(db, u->id, u->at, u->peer, e);
}

static void drop_use(struct job *j)
{
	free(j);
}

void token_used(struct master *m, int64_t id, const char *peer, int64_t now)
{
	struct use *u = xcalloc(1, sizeof(*u));
	struct err e;

	u->id = id;
	u->at = now;
	str_cut(u->peer, sizeof(u->peer), peer);
	u->job.run = run_used;
	u->job.drop = drop_use;
	/* a full queue: noted with a later use */
	if (writer_put(m->writer, &u->job, &e))
		free(u);
}
