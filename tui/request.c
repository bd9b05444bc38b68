/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/request.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "shared/buf.h"
#include "shared/json.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { LOOK_MS = 2000 };

/* How each verb is called, and what is said before it is sent. */
static const struct {
	const char *verb, *title, *button, *member, *line;
} verbs[] = {
	[ASK_BACKUP] = {"backup", "Back up now", "Back up", "timer", "a backup begins beside those of its timers"},
	[ASK_VERIFY] = {"verify", "Verify", "Verify", "run", "it reads back what is stored and checks it"},
	[ASK_PAUSE] = {"pause", "Pause", "Pause", "timer", "no backup begins by timer until it is resumed (P)"},
	[ASK_RESUME] = {"resume", "Resume", "Resume", "timer", "its timers back up again"},
	[ASK_STOP] = {"stop", "Stop run", "Stop", "run", "the run ends as aborted; what it stored so far goes"},
};

void request_ask(struct request *q, struct app *a, enum request_verb verb, const char *what)
{
	const struct node *n = nodes_find(a->nodes, a->want.node);
	struct dialog *d = &a->dialog;

	q->verb = verb;
	str_cut(q->what, sizeof(q->what), str_or(what, ""));
	dialog_init(d, verbs[verb].title, verbs[verb].button);
	d->tag = TAG_REQUEST;
	d->id = a->want.node;
	dialog_line(d, "%s  %.80s%s%.63s", verbs[verb].button, n ? n->name : "the node", q->what[0] ? "  " : "", q->what);
	dialog_line(d, "%s", "");
	dialog_line(d, "• %s", verbs[verb].line);
	dialog_line(d, "• the node is asked with its next report; its own");
	dialog_line(d, "  allow_requests decides whether it does so");
	dialog_open(d);
}

void request_confirmed(struct request *q, struct app *a, const struct dialog *d)
{
	struct net_ask ask = {.tag = TAG_REQUEST, .id = d->id, .method = "POST"};
	struct json_out o;
	struct buf b;

	buf_init(&b, sizeof(ask.body) - 1);
	json_out_init(&o, &b);
	json_obj(&o, NULL);
	json_put_str(&o, "verb", verbs[q->verb].verb);
	if (q->what[0])
		json_put_str(&o, verbs[q->verb].member, q->what);
	json_end_obj(&o);
	str_cut(ask.body, sizeof(ask.body), b.p);
	buf_done(&b);
	snprintf(ask.path, sizeof(ask.path), "/nodes/%" PRIu64 "/requests", d->id);
	q->node = d->id;
	q->id[0] = '\0';
	q->state[0] = '\0';
	app_ask(a, &ask);
	app_say(a, ST_TEXT, "Asked the master …");
}

static bool over(const char *state)
{
	return !str_eq(state, "pending") && !str_eq(state, "accepted") && !str_eq(state, "running");
}

static void say(struct app *a, const struct request *q, const char *reason)
{
	const struct node *n = nodes_find(a->nodes, q->node);
	const char *name = n ? n->name : "the node", *verb = verbs[q->verb].verb;

	if (str_eq(q->state, "pending"))
		app_say(a, ST_WAIT, "… %s: %.80s is asked with its next report.", verb, name);
	else if (str_eq(q->state, "accepted"))
		app_say(a, ST_RUN, "» %s: %.80s accepted it.", verb, name);
	else if (str_eq(q->state, "running"))
		app_say(a, ST_RUN, "» %s: %.80s is at it.", verb, name);
	else if (str_eq(q->state, "done"))
		app_say(a, ST_OK, "✓ %s: %.80s has done it.", verb, name);
	else
		app_say(a, ST_FAIL, "✗ %s: %.80s %s%s%.120s.", verb, name, q->state, reason[0] ? ": " : "", reason);
}

/* A UUID; it becomes a part of a path. */
static bool is_id(const char *id)
{
	return strlen(id) < UUID_TEXT && strspn(id, "0123456789abcdef-") == strlen(id);
}

void request_answer(struct request *q, struct app *a, const struct net_answer *ans)
{
	char state[sizeof(q->state)];
	CLEANUP(freep) char *reason = NULL;

	if ((ans->tag != TAG_REQUEST && ans->tag != TAG_REQUEST_STATE) || ans->id != q->node)
		return;
	q->out = false;
	if (ans->err.kind != ERR_NONE) {
		q->id[0] = '\0';
		app_say(a, ST_FAIL, "✗ %s: %.200s", verbs[q->verb].verb, ans->err.msg);
		return;
	}
	if (ans->tag == TAG_REQUEST)
		str_cut(q->id, sizeof(q->id), is_id(json_get_str(ans->json, "id", "")) ? json_get_str(ans->json, "id", "") : "");
	else if (!str_eq(json_get_str(ans->json, "id", ""), q->id))
		return;
	str_cut(state, sizeof(state), json_get_str(ans->json, "state", ""));
	str_clean(state);
	if (str_eq(state, q->state))
		return;
	str_cut(q->state, sizeof(q->state), state);
	reason = xstrdup(json_get_str(ans->json, "reason", ""));
	str_clean(reason);
	say(a, q, reason);
	if (over(q->state))
		q->id[0] = '\0';
}

void request_tick(struct request *q, struct app *a)
{
	struct net_ask ask = {.tag = TAG_REQUEST_STATE, .id = q->node, .method = "GET"};

	if (!q->id[0] || q->out || app_stale(a) || a->mono - q->looked < LOOK_MS)
		return;
	q->looked = a->mono;
	q->out = true;
	snprintf(ask.path, sizeof(ask.path), "/nodes/%" PRIu64 "/requests/%s", q->node, q->id);
	app_ask(a, &ask);
}
