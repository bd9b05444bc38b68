/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/svc_secret.h"

#include <string.h>

#include "masterd/svc_lead.h"
#include "shared/hash.h"
#include "shared/log.h"
#include "shared/mem.h"

/* What tells one secret from another and nothing about it. Never 0. */
static int64_t mark_of(const char *jwt_secret)
{
	static const char label[] = "felloe-secret-1";
	uint8_t mac[SHA256_LEN];
	int64_t mark = 0;

	hmac_sha256(mac, jwt_secret, strlen(jwt_secret), label, sizeof(label) - 1);
	for (int i = 0; i < 7; i++)
		mark = mark << 8 | mac[i];
	return mark + 1;
}

/* 0: none was taken down yet. */
static int get_mark(struct db *db, int64_t *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	int step;

	if (db_prepare(db, &s, "SELECT value FROM meta WHERE name='jwt_secret'", e))
		return -1;
	step = db_step(&s, e);
	*ret = step > 0 ? db_int(&s, 0) : 0;
	return step < 0 ? -1 : 0;
}

static int put_mark(struct db *db, int64_t mark, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, "INSERT INTO meta(name,value) VALUES('jwt_secret',?1) "
			       "ON CONFLICT(name) DO UPDATE SET value=excluded.value", e))
		return -1;
	db_set_int(&s, 1, mark);
	return db_run(&s, e);
}

int secret_fits(struct db *db, const struct config *c, bool *fits, struct err *e)
{
	int64_t known;

	if (get_mark(db, &known, e))
		return -1;
	*fits = !known || known == mark_of(c->jwt_secret);
	return 0;
}

static int want_alone(struct db *db, struct err *e)
{
	bool held;

	if (lead_held(db, &held, e))
		return -1;
	return held ? err_set(e, ERR_LOCKED, "another master works on this database with another jwt_secret: masters that "
			      "share one have the same, copy it from the other's master.json") : 0;
}

static int change(struct db *db, const struct config *c, bool *told, struct err *e)
{
	int64_t known, mark = mark_of(c->jwt_secret);

	if (get_mark(db, &known, e))
		return -1;
	*told = known && known != mark;
	if (known == mark)
		return 0;
	if (known && db_is_shared_url(c->database) && want_alone(db, e))
		return -1;
	return put_mark(db, mark, e);
}

int secret_take(const struct config *c, struct err *e)
{
	CLEANUP(db_closep) struct db *db = NULL;
	bool other = false;

	if (db_open(&db, c->database, false, e) || db_begin(db, e))
		return -1;
	if (db_rules(db, e) || change(db, c, &other, e) || db_commit(db, e)) {
		db_rollback(db);
		return -1;
	}
	if (other)
		log_warn("jwt_secret is not the one that this database was used with: all have to sign in again, and the "
			 "one-time codes and secrets of channels in it do not open; if that is not meant, put the old one back");
	return 0;
}
