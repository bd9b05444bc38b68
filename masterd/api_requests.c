/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/api_requests.h"

#include <stdlib.h>
#include <string.h>

#include "masterd/api.h"
#include "masterd/svc_request.h"
#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { EXPIRES_S = 3600, EXPIRES_MIN_S = 10, EXPIRES_MAX_S = 7 * 24 * 3600, FILES_MAX = 32, PATH_MAX_LEN = 1024, ARGS_MAX = 65536 };

/* What a verb may be told besides; the one it cannot do without comes first with '!'. */
static const struct {
	const char *verb, *takes[5];
} verbs[] = {
	{"backup", {"site", "timer"}},       {"verify", {"site", "run", "full"}}, {"pause", {"timer"}},
	{"resume", {"timer"}},               {"stop", {"!run"}},
	{"restore", {"!site", "at", "db", "files"}},
};
static const char *const all_args[] = {"site", "timer", "run", "at", "db", "files", "full"};

static struct asking *begin(struct req *r, int64_t node_id)
{
	struct asking *v = xcalloc(1, sizeof(*v));

	v->m = r->m;
	v->now = r->now;
	v->actor = actor_of(r);
	v->request.node_id = node_id;
	v->job.ticket = &r->ticket;
	r->state = v;
	r->state_free = asking_free;
	return v;
}

static enum verdict started(struct req *r, int rc, const struct err *e, req_fn *then)
{
	r->then = then;
	return rc ? reply_err(r, e) : LATER;
}

static enum verdict answer(struct req *r, int status)
{
	struct asking *v = r->state;

	if (v->job.rc)
		return reply_err(r, &v->job.err);
	request_put(reply_json(r, status), &v->request);
	return REPLY;
}

static enum verdict added(struct req *r)
{
	return answer(r, 201);
}

static enum verdict changed(struct req *r)
{
	return answer(r, 200);
}

/* ---- what is asked */

static void put_name(struct json_out *o, const char *key, const char *text, struct problems *p)
{
	if (str_eq(key, "run") ? strlen(text) >= 4 && strlen(text) < UUID_TEXT && text[strspn(text, "0123456789abcdef-")] == '\0'
	    : str_eq(key, "site") || str_eq(key, "timer") ? str_is_name(text)
							  : *text && strlen(text) <= 256 && str_is_clean(text) && *text != '-')
		json_put_str(o, key, text);
	else
		problems_add(p, key, "is not a %s", str_eq(key, "run") ? "run's id" : str_eq(key, "at") ? "time or run" : "name");
}

static void put_files(struct json_out *o, const struct json *files, struct problems *p)
{
	json_arr(o, "files");
	for (const struct json *f = json_first(files); f; f = json_next(f)) {
		const char *path = str_or(json_str(f), "");

		if (*path != '/' || strlen(path) > PATH_MAX_LEN || !str_is_clean(path))
			problems_add(p, "files", "are absolute paths");
		else
			json_put_str(o, NULL, path);
	}
	json_end_arr(o);
	if (json_count(files) > FILES_MAX)
		problems_add(p, "files", "are more than %d", FILES_MAX);
}

static void read_arg(struct json_out *o, const struct json *j, const char *key, struct problems *p)
{
	const struct json *files;
	const char *text;
	bool yes;

	if (str_eq(key, "full")) {
		if (json_want_bool(j, "", key, &yes, p))
			json_put_bool(o, key, yes);
	} else if (str_eq(key, "files")) {
		files = json_want(j, "", key, JSON_ARRAY, false, p);
		if (files)
			put_files(o, files, p);
	} else if (json_want_str(j, "", key, false, &text, p)) {
		put_name(o, key, text, p);
	}
}

static char *read_args(const struct json *j, const char *verb, struct problems *p)
{
	struct json_out o;
	struct buf b;
	size_t v = 0;

	while (v < ARRAY_LEN(verbs) && !str_eq(verbs[v].verb, verb))
		v++;
	if (v == ARRAY_LEN(verbs)) {
		problems_add(p, "verb", "must be backup, verify, pause, resume, stop or restore");
		return NULL;
	}
	buf_init(&b, ARGS_MAX);
	json_out_init(&o, &b);
	json_obj(&o, NULL);
	for (size_t i = 0; i < ARRAY_LEN(all_args); i++) {
		bool there = json_type(json_get(j, all_args[i])) > JSON_NULL, takes = false, needs = false;

		for (size_t k = 0; k < ARRAY_LEN(verbs[v].takes) && verbs[v].takes[k]; k++) {
			needs = needs || (verbs[v].takes[k][0] == '!' && str_eq(verbs[v].takes[k] + 1, all_args[i]));
			takes = takes || needs || str_eq(verbs[v].takes[k], all_args[i]);
		}
		if (there && !takes)
			problems_add(p, all_args[i], "does not go with %s", verb);
		else if (needs && !there)
			problems_add(p, all_args[i], "is needed for %s", verb);
		else if (there)
			read_arg(&o, j, all_args[i], p);
	}
	json_end_obj(&o);
	if (b.over)
		problems_add(p, "", "that is too much");
	return buf_take(&b);
}

enum verdict api_request_add(struct req *r)
{
	CLEANUP(problems_done) struct problems p = {0};
	CLEANUP(json_freep) struct json *j = NULL;
	int64_t id, expires = EXPIRES_S;
	struct asking *v;
	struct err e;

	if (!api_node_id(r, &id) || !req_json(r, &j))
		return REPLY;
	v = begin(r, id);
	api_want_text(j, "verb", true, v->request.verb, sizeof(v->request.verb), &p);
	json_want_int(j, "", "expires_s", false, EXPIRES_MIN_S, EXPIRES_MAX_S, &expires, &p);
	if (!p.n)
		v->request.args = read_args(j, v->request.verb, &p);
	if (p.n)
		return reply_problems(r, &p);
	v->request.expires = r->now + expires * 1000;
	str_cut(v->request.created_by, sizeof(v->request.created_by), r->who.name);
	return started(r, request_add(v, &e), &e, added);
}

/* ---- what stands */

struct page {
	struct json_out *o;
	int64_t limit, last, next;
};

static int put_one(void *ctx, const struct request *q)
{
	struct page *p = ctx;

	if (!p->limit--) {
		p->next = p->last;
		return 1;
	}
	request_put(p->o, q);
	p->last = q->seq;
	return 0;
}

enum verdict api_requests(struct req *r)
{
	struct page p = {.limit = PAGE_DEFAULT};
	int64_t id, after = 0;
	struct db *db = NULL;
	struct err e;
	int rc;

	if (!api_node_id(r, &id) || !api_page(r, &after, &p.limit))
		return REPLY;
	p.o = api_items(r);
	rc = db_pool_take(r->m->pool, &db, &e) ? -1 : tbl_request_list(db, id, after, p.limit + 1, put_one, &p, &e);
	db_pool_give(r->m->pool, db);
	if (rc)
		return reply_err(r, &e);
	api_items_end(p.o, p.next);
	return REPLY;
}

enum verdict api_request(struct req *r)
{
	struct db *db = NULL;
	struct request q;
	int64_t id;
	struct err e;
	int rc;

	if (!api_node_id(r, &id))
		return REPLY;
	rc = db_pool_take(r->m->pool, &db, &e) ? -1 : tbl_request_get(db, id, r->arg2, &q, &e);
	db_pool_give(r->m->pool, db);
	if (rc)
		return reply_err(r, &e);
	request_put(reply_json(r, 200), &q);
	request_done(&q);
	return REPLY;
}

enum verdict api_request_withdraw(struct req *r)
{
	struct asking *v;
	int64_t id;
	struct err e;

	if (!api_node_id(r, &id))
		return REPLY;
	v = begin(r, id);
	str_cut(v->request.rid, sizeof(v->request.rid), r->arg2);
	return started(r, request_withdraw(v, &e), &e, changed);
}

/* ---- the node's word */

static enum verdict told(struct req *r)
{
	struct asking *v = r->state;
	struct json_out *o;

	if (v->job.rc)
		return reply_err(r, &v->job.err);
	o = reply_json(r, 200);
	json_obj(o, NULL);
	json_put_str(o, "state", request_state_name(v->request.state));
	json_end_obj(o);
	return REPLY;
}

enum verdict api_request_tell(struct req *r)
{
	CLEANUP(problems_done) struct problems p = {0};
	CLEANUP(json_freep) struct json *j = NULL;
	struct asking *v;
	char state[16] = "";
	struct err e;

	if (!req_json(r, &j))
		return REPLY;
	v = begin(r, r->who.node_id);
	str_cut(v->request.rid, sizeof(v->request.rid), r->arg);
	api_want_text(j, "state", true, state, sizeof(state), &p);
	api_want_text(j, "reason", false, v->request.reason, sizeof(v->request.reason), &p);
	api_want_text(j, "run", false, v->request.run, sizeof(v->request.run), &p);
	if (!p.n && (request_state_from(&v->request.state, state) || v->request.state == REQUEST_PENDING ||
		     v->request.state > REQUEST_FAILED))
		problems_add(&p, "state", "must be accepted, refused, running, done or failed");
	if (p.n)
		return reply_problems(r, &p);
	return started(r, request_tell(v, &e), &e, told);
}
