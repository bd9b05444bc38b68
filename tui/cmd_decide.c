/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "shared/buf.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "tui/cmd.h"

/* Looking for the pending node with a code. */
struct search {
	const char *code;
	uint64_t id;
	size_t found;
};

static int compare(void *ctx, const struct json *item, struct err *e)
{
	struct search *s = ctx;

	(void)e;
	if (str_ieq(json_get_str(item, "code", NULL), s->code)) {
		s->id = (uint64_t)json_get_int(item, "id", 0);
		s->found++;
	}
	return 0;
}

/* A number is an ID; anything else the code on the node's screen. */
static int find(struct cmd *c, const char *word, bool codes, uint64_t *id, struct err *e)
{
	struct search s = {.code = word};
	struct cmd_each each = {.fn = compare, .ctx = &s};

	if (str_to_u64(id, word, 1, 1ULL << 53) == 0)
		return 0;
	if (!codes)
		return err_set(e, ERR_USAGE, "the ID of a node is a number (felloe nodes lists them), not \"%s\"",
			       word);
	if (cmd_list(c, "/nodes/?state=pending", &each, e))
		return -1;
	if (s.found == 0)
		return err_set(e, ERR_NOTFOUND, "no waiting node has the code %s; felloe pending lists them", word);
	if (s.found > 1)
		return err_set(e, ERR_CONFLICT, "%zu waiting nodes have the code %s; give the ID (felloe pending)",
			       s.found, word);
	*id = s.id;
	return 0;
}

struct decision {
	const char *verb, *key, *value; /* member of the body; value NULL: none */
	bool codes;
};

static int decide(struct cmd *c, const struct decision *d, const char *word, struct err *e)
{
	CLEANUP(json_freep) struct json *answer = NULL;
	struct json_out o;
	struct buf b;
	char path[64];
	uint64_t id = 0;
	int rc;

	if (find(c, word, d->codes, &id, e))
		return -1;
	buf_init(&b, 4096);
	json_out_init(&o, &b);
	json_obj(&o, NULL);
	if (d->value)
		json_put_str(&o, d->key, d->value);
	json_end_obj(&o);
	snprintf(path, sizeof(path), "/nodes/%s/%" PRIu64, d->verb, id);
	rc = buf_check(&b, d->key, e) ||
	     cmd_call(c, &(struct session_call){.method = "POST", .path = path, .body = b.p}, &answer, e);
	buf_done(&b);
	if (rc)
		return -1;
	if (c->json && answer)
		cmd_print_json(answer);
	else
		printf("Node %" PRIu64 ": %s done.\n", id, d->verb);
	return 0;
}

static int finish(struct cmd *c, const struct decision *d, int rc, char **argv, struct err *e)
{
	if (rc == 0)
		rc = cmd_connect(c, e) || decide(c, d, argv[1], e) ? -1 : 0;
	rc = rc < 0 ? cmd_fail(c, e) : 0;
	cmd_end(c);
	return rc;
}

int cmd_approve(int argc, char **argv)
{
	struct decision d = {.verb = "approve", .key = "name", .codes = true};
	const struct opt more[] = {
		{.name = "name", .type = OPT_STR, .to = &d.value, .arg = "N", .help = "The name the node gets here."},
		{0}};
	const struct cmd_spec spec = {"ID|CODE [--name N]", "Approve a node that waits. Compare its code first.", more,
				      1, 1};
	struct err e = {0};
	struct cmd c;
	int rc = cmd_begin(&c, &spec, argc, argv, &e);

	return finish(&c, &d, rc, argv, &e);
}

int cmd_block(int argc, char **argv)
{
	struct decision d = {.verb = "block", .key = "reason"};
	const struct opt more[] = {{.name = "reason",
				    .type = OPT_STR,
				    .to = &d.value,
				    .arg = "R",
				    .help = "Why; the node is told it."},
				   {0}};
	const struct cmd_spec spec = {"ID --reason R", "Block a node: its key is refused.", more, 1, 1};
	struct err e = {0};
	struct cmd c;
	int rc = cmd_begin(&c, &spec, argc, argv, &e);

	if (rc == 0 && str_empty(d.value))
		rc = err_set(&e, ERR_USAGE, "--reason is needed: say why node %s is blocked", argv[1]);
	return finish(&c, &d, rc, argv, &e);
}

int cmd_unblock(int argc, char **argv)
{
	static const struct cmd_spec spec = {"ID", "Let a blocked node report again.", NULL, 1, 1};
	struct decision d = {.verb = "unblock"};
	struct err e = {0};
	struct cmd c;
	int rc = cmd_begin(&c, &spec, argc, argv, &e);

	return finish(&c, &d, rc, argv, &e);
}
