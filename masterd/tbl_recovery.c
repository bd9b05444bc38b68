/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/tbl_recovery.h"

#include "shared/mem.h"

int tbl_recovery_add(struct db *db, int64_t account_id, const uint8_t hash[static SHA256_LEN], struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, "INSERT INTO recovery_code(account_id,hash) VALUES(?1,?2)", e))
		return -1;
	db_set_int(&s, 1, account_id);
	db_set_blob(&s, 2, hash, SHA256_LEN);
	return db_run(&s, e);
}

int tbl_recovery_take(struct db *db, int64_t account_id, const uint8_t hash[static SHA256_LEN], bool *had,
		      struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	int got;

	if (db_prepare(db, &s, "DELETE FROM recovery_code WHERE account_id=?1 AND hash=?2 RETURNING account_id", e))
		return -1;
	db_set_int(&s, 1, account_id);
	db_set_blob(&s, 2, hash, SHA256_LEN);
	got = db_step(&s, e);
	*had = got > 0;
	return got < 0 ? -1 : 0;
}

int tbl_recovery_clear(struct db *db, int64_t account_id, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, "DELETE FROM recovery_code WHERE account_id=?1", e))
		return -1;
	db_set_int(&s, 1, account_id);
	return db_run(&s, e);
}

int tbl_recovery_count(struct db *db, int64_t account_id, int64_t *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, "SELECT count(*) FROM recovery_code WHERE account_id=?1", e))
		return -1;
	db_set_int(&s, 1, account_id);
	if (db_step(&s, e) < 0)
		return -1;
	*ret = db_int(&s, 0);
	return 0;
}
