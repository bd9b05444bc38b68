/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/tbl_audit.h"

#include <string.h>

#include "shared/buf.h"
#include "shared/mem.h"

static const char label[] = "felloe-audit-1";

static void add_number(struct buf *b, uint64_t v, int bytes)
{
	for (int i = bytes - 1; i >= 0; i--)
		buf_addc(b, (char)(v >> (8 * i)));
}

static void add_text(struct buf *b, const char *text)
{
	add_number(b, strlen(text), 4);
	buf_adds(b, text);
}

void audit_hash(uint8_t ret[static SHA256_LEN], const uint8_t before[static SHA256_LEN], const struct audit *a)
{
	struct buf b;

	buf_init(&b, SIZE_MAX);
	buf_add(&b, label, sizeof(label) - 1);
	buf_add(&b, before, SHA256_LEN);
	add_number(&b, (uint64_t)a->id, 8);
	add_number(&b, (uint64_t)a->at, 8);
	add_text(&b, a->who);
	add_text(&b, a->peer);
	add_text(&b, a->action);
	add_text(&b, a->object);
	add_text(&b, a->detail);
	sha256(ret, b.p, b.len);
	buf_done(&b);
}

static void copy_hash(struct db_stmt *s, int col, uint8_t ret[static SHA256_LEN])
{
	size_t n;
	const void *p = db_blob(s, col, &n);

	memset(ret, 0, SHA256_LEN);
	if (p && n == SHA256_LEN)
		memcpy(ret, p, n);
}

static int newest(struct db *db, int64_t *id, uint8_t hash[static SHA256_LEN], struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	int got;

	*id = 0;
	memset(hash, 0, SHA256_LEN);
	if (db_prepare(db, &s, "SELECT id,hash FROM audit ORDER BY id DESC LIMIT 1", e))
		return -1;
	got = db_step(&s, e);
	if (got <= 0)
		return got;
	*id = db_int(&s, 0);
	copy_hash(&s, 1, hash);
	return 0;
}

int tbl_audit_add(struct db *db, struct audit *a, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	uint8_t before[SHA256_LEN];

	if (newest(db, &a->id, before, e))
		return -1;
	a->id++;
	audit_hash(a->hash, before, a);
	if (db_prepare(db, &s,
		       "INSERT INTO audit(id,at,who,peer,action,object,detail,hash) VALUES(?1,?2,?3,?4,?5,?6,?7,?8)", e))
		return -1;
	db_set_int(&s, 1, a->id);
	db_set_int(&s, 2, a->at);
	db_set_str(&s, 3, a->who);
	db_set_str(&s, 4, a->peer);
	db_set_str(&s, 5, a->action);
	db_set_str(&s, 6, a->object);
	db_set_str(&s, 7, a->detail);
	db_set_blob(&s, 8, a->hash, SHA256_LEN);
	return db_run(&s, e);
}

#define COLUMNS "SELECT id,at,who,peer,action,object,detail,hash FROM audit "

/* The rows of a statement with COLUMNS, to its end or until each has enough. */
static int hand_out(struct db_stmt *s, int (*each)(void *ctx, const struct audit *a), void *ctx, struct err *e)
{
	struct audit a;
	int got;

	while ((got = db_step(s, e)) > 0) {
		a.id = db_int(s, 0);
		a.at = db_int(s, 1);
		a.who = db_str(s, 2);
		a.peer = db_str(s, 3);
		a.action = db_str(s, 4);
		a.object = db_str(s, 5);
		a.detail = db_str(s, 6);
		copy_hash(s, 7, a.hash);
		if (each(ctx, &a))
			return 0;
	}
	return got;
}

/* check-size: which rows, and who takes them */
int tbl_audit_each(struct db *db, int64_t after, int64_t max, int (*each)(void *ctx, const struct audit *a), void *ctx,
		   struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, COLUMNS "WHERE id>?1 ORDER BY id LIMIT ?2", e))
		return -1;
	db_set_int(&s, 1, after);
	db_set_int(&s, 2, max);
	return hand_out(&s, each, ctx, e);
}

int tbl_audit_list(struct db *db, const struct audit_query *q, int (*each)(void *ctx, const struct audit *a), void *ctx,
		   struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	CLEANUP(freep) char *kind = xasprintf("%s.", q->action ? q->action : "");

	if (db_prepare(db, &s,
		       COLUMNS "WHERE id<?1 AND at>=?2 AND (?3='' OR who=?3) AND "
			       "(?4='' OR action=?4 OR substr(action,1,length(?5))=?5) ORDER BY id DESC LIMIT ?6",
		       e))
		return -1;
	db_set_int(&s, 1, q->before ? q->before : INT64_MAX);
	db_set_int(&s, 2, q->since);
	db_set_str(&s, 3, q->who ? q->who : "");
	db_set_str(&s, 4, q->action ? q->action : "");
	db_set_str(&s, 5, kind);
	db_set_int(&s, 6, q->limit);
	return hand_out(&s, each, ctx, e);
}
