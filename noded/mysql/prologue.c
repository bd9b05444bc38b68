/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/prologue.h"

#include <string.h>

#include "noded/mysql/sqltext.h"
#include "shared/str.h"

/* unique_checks stays on: without it (and without foreign_key_checks) MariaDB fills an empty table without
 * undo, and on a full disk rows were lost or left behind, not always with an error. */
static const char keep[] =
	"SET @felloe_client=@@character_set_client, @felloe_results=@@character_set_results, "
	"@felloe_connection=@@collation_connection, @felloe_zone=@@time_zone, @felloe_mode=@@sql_mode, "
	"@felloe_keys=@@foreign_key_checks, @felloe_unique=@@unique_checks, @felloe_notes=@@sql_notes;\n"
	"SET NAMES utf8mb4;\n"
	"SET time_zone='+00:00', sql_mode='NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', foreign_key_checks=0, unique_checks=1, sql_notes=0;\n";
static const char put_back[] =
	"SET time_zone=@felloe_zone, sql_mode=@felloe_mode, foreign_key_checks=@felloe_keys, "
	"unique_checks=@felloe_unique, sql_notes=@felloe_notes;\n"
	"SET character_set_client=@felloe_client, character_set_results=@felloe_results, "
	"collation_connection=@felloe_connection;\n";

void prologue_begin(struct buf *b)
{
	buf_add(b, keep, sizeof(keep) - 1);
}

void prologue_end(struct buf *b)
{
	buf_add(b, put_back, sizeof(put_back) - 1);
}

void prologue_begin_table(struct buf *b)
{
	prologue_begin(b);
	/* Without explicit_defaults_for_timestamp a TIMESTAMP that has no default gets one. MySQL does not let
	 * every account set these. */
	buf_adds(b, "/*M!100201 SET @felloe_strict=@@innodb_strict_mode, innodb_strict_mode=0 */;\n"
		    "/*M!101001 SET @felloe_explicit=@@explicit_defaults_for_timestamp, explicit_defaults_for_timestamp=1 */;\n");
}

void prologue_end_table(struct buf *b)
{
	buf_adds(b, "/*M!100201 SET innodb_strict_mode=@felloe_strict */;\n"
		    "/*M!101001 SET explicit_defaults_for_timestamp=@felloe_explicit */;\n");
	prologue_end(b);
}

void prologue_begin_data(struct buf *b)
{
	prologue_begin(b);
	/* Rows that are older than a CHECK need not satisfy it; only MariaDB can be told so. */
	buf_adds(b, "/*M!100201 SET @felloe_check=@@check_constraint_checks, check_constraint_checks=0 */;\n"
		    "SET @felloe_commit=@@autocommit;\nSET autocommit=0;\n");
}

void prologue_end_data(struct buf *b)
{
	buf_adds(b, "COMMIT;\nSET autocommit=@felloe_commit;\n"
		    "/*M!100201 SET check_constraint_checks=@felloe_check */;\n");
	prologue_end(b);
}

static bool other_collation(const struct prologue_made *m)
{
	return m->db_collation && m->now_collation && !str_eq(m->db_collation, m->now_collation);
}

static void alter_database(struct buf *b, const char *collation)
{
	buf_adds(b, "ALTER DATABASE ");
	sql_collate(b, collation);
	buf_adds(b, ";\n");
}

void prologue_begin_made(struct buf *b, const struct prologue_made *m)
{
	if (other_collation(m)) /* types without a character set inside the body took it from the schema */
		alter_database(b, m->db_collation);
	buf_addf(b, "SET character_set_client=%s, character_set_results=%s, collation_connection=%s;\n", m->charset,
		 m->charset, m->collation);
	if (m->time_zone) {
		buf_adds(b, "SET time_zone=");
		sql_string(b, m->time_zone, strlen(m->time_zone));
		buf_adds(b, ";\n");
	}
	buf_adds(b, "SET sql_mode=");
	sql_string(b, str_or(m->sql_mode, ""), strlen(str_or(m->sql_mode, "")));
	buf_adds(b, ";\n");
}

void prologue_end_made(struct buf *b, const struct prologue_made *m)
{
	prologue_end(b);
	if (other_collation(m))
		alter_database(b, m->now_collation);
}
