/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/cmd.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "masterd/audit_chain.h"
#include "masterd/config.h"
#include "shared/buf.h"
#include "shared/fs.h"
#include "shared/json.h"
#include "shared/mem.h"
#include "shared/str.h"

struct audit_opts {
	const char *head;
	bool json;
};

static void print_json(const struct chain *c, const char *head)
{
	struct json_out o;
	struct buf b;

	buf_init(&b, 4096);
	json_out_init(&o, &b);
	json_obj(&o, NULL);
	json_put_bool(&o, "good", c->verdict == CHAIN_GOOD);
	json_put_str(&o, "verdict", chain_verdict_name(c->verdict));
	json_put_int(&o, "records", c->records);
	json_put_str(&o, "head", head);
	if (c->bad)
		json_put_int(&o, "bad", c->bad);
	if (c->kept_at)
		json_put_int(&o, "kept_at", c->kept_at);
	json_put_str(&o, "text", c->text);
	json_end_obj(&o);
	puts(b.p);
	buf_done(&b);
}

static void print_text(const struct chain *c, const char *head)
{
	puts(c->text);
	if (c->kept_at)
		printf("the head that was kept is record %" PRId64 "; %" PRId64 " came after it\n", c->kept_at,
		       c->records - c->kept_at);
	printf("head: %s (record %" PRId64 ")\n", head, c->records);
}

/* Prints what was found; *ret is the exit code. */
static int verify(const char *path, const struct audit_opts *o, int *ret, struct err *e)
{
	CLEANUP(config_freep) struct config *c = NULL;
	CLEANUP(db_closep) struct db *db = NULL;
	uint8_t kept[SHA256_LEN];
	char head[SHA256_HEX];
	struct chain chain;

	if (o->head && hex_decode(kept, sizeof(kept), o->head))
		return err_set(e, ERR_USAGE, "--head \"%.80s\" is not a hash: it has 64 hex digits", o->head);
	if (config_load(&c, path, e) || db_open(&db, c->database, true, e) ||
	    audit_chain_verify(db, o->head ? kept : NULL, &chain, e))
		return -1;
	hex_encode(head, chain.head, sizeof(chain.head));
	if (o->json)
		print_json(&chain, head);
	else
		print_text(&chain, head);
	*ret = chain.verdict == CHAIN_GOOD ? 0 : err_exit_code(ERR_DAMAGED);
	return 0;
}

int cmd_audit(int argc, char **argv)
{
	CLEANUP(cmd_done) struct cmd c = {.usage = "audit verify [options]", .least = 1, .most = 1};
	struct audit_opts o = {0};
	const struct opt opts[] = {
		{.name = "head", .type = OPT_STR, .to = &o.head, .arg = "HASH",
		 .help = "a head that an earlier walk printed: it must still be among the records"},
		{.name = "json", .type = OPT_FLAG, .to = &o.json, .help = "the outcome as JSON"},
		CMD_OPTS(c),
		{0},
	};
	int code = 0, rc = cmd_start(&c, opts, argc, argv, NULL);
	struct err e = {0};

	if (rc >= 0)
		return rc;
	if (!str_eq(argv[1], "verify")) {
		err_fill(&e, ERR_USAGE, 0, "audit \"%.40s\": there is only audit verify", argv[1]);
		return cmd_failed(&e);
	}
	return verify(c.path, &o, &code, &e) ? cmd_failed(&e) : code;
}
