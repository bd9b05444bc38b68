/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/decide.h"

#include <inttypes.h>
#include <stdio.h>

#include "shared/buf.h"
#include "shared/str.h"

static void question(struct app *a, const struct node *n, enum net_tag tag, const char *title, const char *verb)
{
	dialog_init(&a->dialog, title, verb);
	a->dialog.tag = (int)tag;
	a->dialog.id = n->id;
	if (n->code[0])
		dialog_line(&a->dialog, "%s  %.80s  (%.45s, code %.24s)", verb, n->name, n->peer, n->code);
	else
		dialog_line(&a->dialog, "%s  %.80s  (%.45s)", verb, n->name, n->peer[0] ? n->peer : "no address");
	dialog_line(&a->dialog, "%s", "");
}

void decide_approve(struct app *a, const struct node *n)
{
	question(a, n, TAG_APPROVE, "Approve node", "Approve");
	if (n->code_open)
		dialog_line(&a->dialog, "▲ its code is not protected: compare the address too");
	else if (n->code[0])
		dialog_line(&a->dialog, "• the node's own screen must show the same code");
	dialog_line(&a->dialog, "• it gets a key and may report here; its storages stay its own");
	dialog_line(&a->dialog, "• you can undo this: X Block");
	if (n->name_in_use) {
		dialog_line(&a->dialog, "▲ another node has this name: give a new one");
		str_cut(a->dialog.ask, sizeof(a->dialog.ask), "New name");
	}
	dialog_open(&a->dialog);
}

void decide_block(struct app *a, const struct node *n)
{
	question(a, n, TAG_BLOCK, "Block node", "Block");
	dialog_line(&a->dialog, "• its key is refused; it stops reporting, still backs up");
	dialog_line(&a->dialog, "• you can undo this: Approvals, b, U unblock");
	str_cut(a->dialog.ask, sizeof(a->dialog.ask), "Reason (the node is told it)");
	/* a hostile machine may choose a name that nobody can type */
	if (str_is_name(n->name)) {
		str_cut(a->dialog.type_label, sizeof(a->dialog.type_label), "Type the node's name to go on");
		str_cut(a->dialog.type_this, sizeof(a->dialog.type_this), n->name);
	} else {
		snprintf(a->dialog.type_label, sizeof(a->dialog.type_label), "Type its number, %" PRIu64 ", to go on", n->id);
		snprintf(a->dialog.type_this, sizeof(a->dialog.type_this), "%" PRIu64, n->id);
	}
	dialog_open(&a->dialog);
}

void decide_unblock(struct app *a, const struct node *n)
{
	question(a, n, TAG_UNBLOCK, "Unblock node", "Unblock");
	if (n->reason[0])
		dialog_line(&a->dialog, "• blocked because: %s", n->reason);
	dialog_line(&a->dialog, "• it may report again");
	dialog_open(&a->dialog);
}

static void body_member(struct net_ask *ask, const char *key, const char *value)
{
	struct json_out o;
	struct buf b;

	buf_init(&b, sizeof(ask->body) - 1);
	json_out_init(&o, &b);
	json_obj(&o, NULL);
	if (value[0])
		json_put_str(&o, key, value);
	json_end_obj(&o);
	str_cut(ask->body, sizeof(ask->body), b.over ? "{}" : b.p);
	buf_done(&b);
}

void decide_confirmed(struct app *a, struct dialog *d)
{
	static const char *const verbs[] = {
		[TAG_APPROVE] = "approve", [TAG_BLOCK] = "block", [TAG_UNBLOCK] = "unblock"};
	struct net_ask ask = {.tag = (enum net_tag)d->tag, .id = d->id, .method = "POST"};

	snprintf(ask.path, sizeof(ask.path), "/nodes/%s/%" PRIu64, verbs[d->tag], d->id);
	body_member(&ask, d->tag == TAG_BLOCK ? "reason" : "name", d->answer.v);
	app_ask(a, &ask);
	app_say(a, ST_TEXT, "Asked the master …");
}

void decide_answer(struct app *a, const struct net_answer *ans)
{
	static const char *const done[] = {[TAG_APPROVE] = "is approved", [TAG_BLOCK] = "is blocked",
					   [TAG_UNBLOCK] = "may report again"};
	const struct node *n = nodes_find(a->nodes, ans->id);

	if (ans->tag != TAG_APPROVE && ans->tag != TAG_BLOCK && ans->tag != TAG_UNBLOCK)
		return;
	if (ans->err.kind != ERR_NONE)
		app_say(a, ST_FAIL, "✗ %.60s: %.180s", n ? n->name : "the node", ans->err.msg);
	else
		app_say(a, ST_OK, "✓ %.100s %s.", n ? n->name : "The node", done[ans->tag]);
}
