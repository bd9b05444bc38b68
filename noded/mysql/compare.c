/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/compare.h"

#include <stdlib.h>

#include "noded/mysql/columns.h"
#include "noded/mysql/digest.h"
#include "noded/mysql/large.h"
#include "noded/mysql/sqltext.h"
#include "shared/list.h"
#include "shared/mem.h"
#include "shared/str.h"

static int keep_key(struct strings *keys, const struct columns *k, MYSQL_ROW row, const unsigned long *len, struct err *e)
{
	CLEANUP(buf_done) struct buf where = {0};

	buf_init(&where, 1 << 20);
	columns_where(k, row, len, &where);
	if (buf_check(&where, "the key of a row", e))
		return -1;
	*list_push(keys) = buf_take(&where);
	return 0;
}

/* sliced NULL: every row is read whole. */
static int read_all(struct conn *c, const char *sql, const struct columns *sliced, struct strings *keys, struct digest *d,
		    struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	unsigned columns, flag;
	MYSQL_ROW row;

	if (conn_stream(c, &r, sql, e))
		return -1;
	flag = sliced ? sliced->n : 0;
	columns = sliced ? sliced->n : mysql_num_fields(r);
	while ((row = mysql_fetch_row(r))) {
		const unsigned long *len = mysql_fetch_lengths(r);

		if (sliced && row[flag] && *row[flag] == '1') {
			if (keep_key(keys, sliced, row, len, e)) {
				conn_abandon(c);
				return -1;
			}
			continue;
		}
		digest_row(d, row, len, columns);
	}
	return conn_ended(c, e);
}

int compare_digest(struct conn *c, const char *table, const char *select_list, uint64_t *rows, uint8_t digest[static 16],
		   struct err *e)
{
	CLEANUP(columns_done) struct columns k = {0};
	CLEANUP(strings_done) struct strings keys = {0}; /* of rows with large values */
	CLEANUP(digest_done) struct digest d = {0};
	CLEANUP(buf_done) struct buf sql = {0};
	bool sliced;

	digest_init(&d);
	buf_init(&sql, 8 << 20);
	if (columns_read(&k, c, table, e) || columns_key(&k, c, table, false, e))
		return err_wrap(e, "check");
	sliced = str_eq(k.select_list, select_list) && columns_sliced(&k);
	buf_adds(&sql, "SELECT ");
	if (sliced)
		columns_bounded_list(&k, &sql);
	else
		buf_adds(&sql, select_list);
	buf_adds(&sql, " FROM ");
	sql_ident(&sql, table);
	buf_adds(&sql, sql_history_of(select_list));
	if (buf_check(&sql, "select list", e) || read_all(c, sql.p, sliced ? &k : NULL, &keys, &d, e))
		return err_wrap(e, "check of table `%s`", table);
	for (size_t i = 0; i < keys.n; i++) {
		const struct large_row l = {.c = c, .k = &k, .table = table, .where = keys.v[i]};

		if (large_digest(&l, &d, e))
			return err_wrap(e, "check");
	}

	*rows = d.rows;
	digest_get(&d, digest);
	return 0;
}
