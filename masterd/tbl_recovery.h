/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TBL_RECOVERY_H
#define FELLOE_TBL_RECOVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "masterd/db.h"
#include "shared/attr.h"
#include "shared/err.h"
#include "shared/hash.h"

/* Recovery codes of accounts with one-time codes, as hashes (masterd/totp.h). */
int tbl_recovery_add(struct db *db, int64_t account_id, const uint8_t hash[static SHA256_LEN], struct err *e) MUSTCHECK;
/* *had: it was there; it is not any more. */
int tbl_recovery_take(struct db *db, int64_t account_id, const uint8_t hash[static SHA256_LEN], bool *had,
		      struct err *e) MUSTCHECK;
int tbl_recovery_clear(struct db *db, int64_t account_id, struct err *e) MUSTCHECK;
int tbl_recovery_count(struct db *db, int64_t account_id, int64_t *ret, struct err *e) MUSTCHECK;

#endif
