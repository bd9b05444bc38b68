/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/api_manage.h"

#include <string.h>

#include "masterd/api.h"
#include "masterd/api_join.h"
#include "masterd/svc_node.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

static void want_note(const struct json *j, struct enrol *v, struct problems *p)
{
	char note[NODE_NOTE] = "";

	if (!json_get(j, "note"))
		return;
	api_want_text(j, "note", false, note, sizeof(note), p);
	v->note = xstrdup(note);
}

enum verdict api_node_change(struct req *r)
{
	CLEANUP(problems_done) struct problems p = {0};
	CLEANUP(json_freep) struct json *j = NULL;
	struct enrol *v = api_enrol_node(r);
	struct err e;

	if (!v || !req_json(r, &j))
		return REPLY;
	api_want_text(j, "name", json_get(j, "name") != NULL, v->name, sizeof(v->name), &p);
	v->tags = api_want_tags(j, &p);
	want_note(j, v, &p);
	if (p.n)
		return reply_problems(r, &p);
	return api_enrol_started(r, node_change(v, &e), &e, api_enrol_decided);
}

static enum verdict deleted(struct req *r)
{
	struct enrol *v = r->state;

	if (v->job.rc)
		return reply_err(r, &v->job.err);
	log_info("%s: %s is deleted", r->who.name, v->node.name);
	r->status = 204;
	return REPLY;
}

enum verdict api_node_delete(struct req *r)
{
	struct enrol *v = api_enrol_node(r);
	struct err e;

	return !v ? REPLY : api_enrol_started(r, node_delete(v, &e), &e, deleted);
}

enum verdict api_node_rotate(struct req *r)
{
	struct enrol *v = api_enrol_node(r);
	struct err e;

	return !v ? REPLY : api_enrol_started(r, node_rotate(v, &e), &e, api_enrol_decided);
}
