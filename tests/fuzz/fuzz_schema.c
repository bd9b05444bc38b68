/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of SHOW CREATE: what goes out of a table comes back with its keys, nothing
 * is said twice, and no other reader of definitions is hurt by any bytes. */
#include "noded/mysql/keys.c"

#include <stdio.h>
#include <stdlib.h>

#include "noded/mysql/needs.h"
#include "noded/mysql/sqltext.h"
#include "noded/mysql/vieworder.h"
#include "tests/fuzz/fuzz.h"

static const char *const seeds[] = {
	"CREATE TABLE `t``x` (\n  `id` int(11) NOT NULL AUTO_INCREMENT,\n  `a` varchar(9) DEFAULT 'KEY `,)' COMMENT 'it''s',\n"
	"  PRIMARY KEY (`id`),\n  UNIQUE KEY `u` (`a`(3)),\n  KEY `k` (`a`,`id`),\n  FULLTEXT KEY `f` (`a`),\n"
	"  CONSTRAINT `c` FOREIGN KEY (`a`) REFERENCES `db`.`o` (`b`) ON DELETE CASCADE,\n  CONSTRAINT `k2` CHECK (`a` <> '(')\n"
	") ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4 COMMENT='x'",
	"CREATE TABLE `v` (\n  `a` uuid DEFAULT uuid(),\n  `s` bigint DEFAULT nextval(`db`.`seq`),\n  `rs` timestamp(6) GENERATED ALWAYS AS ROW START,\n"
	"  `re` timestamp(6) GENERATED ALWAYS AS ROW END,\n  PERIOD FOR SYSTEM_TIME (`rs`, `re`)\n) ENGINE=InnoDB WITH SYSTEM VERSIONING\n"
	" PARTITION BY SYSTEM_TIME (PARTITION p0 HISTORY, PARTITION pn CURRENT)",
	"CREATE ALGORITHM=UNDEFINED DEFINER=`r`@`%` SQL SECURITY DEFINER VIEW `v` AS select `t`.`a` AS `a`,`db`.`f`(`t`.`b`) AS "
	"`f(b)`,1 AS `x``y` from (`t` join `w` on(`t`.`a` = `w`.`a`)) where `db`.`t`.`c` = 'db.x' union select 1,2,3",
	"CREATE DEFINER=`a`@`b` TRIGGER `db`.`tr` BEFORE INSERT ON `db`.`t` FOR EACH ROW FOLLOWS x SET NEW.a = (SELECT b FROM db.t)",
	"CREATE OR REPLACE DEFINER='a'@localhost EVENT e ON SCHEDULE EVERY 1 DAY DISABLE ON SLAVE COMMENT ';;' DO SELECT 1 -- ;;",
	"SET SESSION character_set_client=utf8mb4, sql_mode='ANSI_QUOTES,NO_BACKSLASH_ESCAPES'",
};

void fuzz_begin(void)
{
}

static size_t backticks(const char *p, size_t n)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		found += p[i] == '`';
	return found;
}

/* Every backtick is in one of the parts; the name of the table in each. */
static void defer(const char *p, size_t n, bool with_keys)
{
	struct keys k = {0};
	struct table t = {0};
	size_t name, extra;

	if (keys_defer(&k, p, n, with_keys)) {
		if (k.create.over || k.keys.over || k.constraints.over || !parse(&t, p, n))
			abort();
		name = backticks(t.name, t.name_len);
		extra = (k.keys.len ? name : 0) + (k.constraints.len ? name : 0);
		if (backticks(k.create.p, k.create.len) + (k.keys.len ? backticks(k.keys.p, k.keys.len) : 0) +
		    (k.constraints.len ? backticks(k.constraints.p, k.constraints.len) : 0) != backticks(p, n) + extra) {
			fprintf(stderr, "lost or doubled:\n%.*s\n%.*s\n%.*s\n", (int)k.create.len, k.create.p, (int)k.keys.len, k.keys.p,
				(int)k.constraints.len, k.constraints.p);
			abort();
		}
		list_done(&t.items);
	}
	keys_done(&k);
}

static void change(const struct sql_text *text)
{
	static const struct made_change all = {"`a`@`b`", false, true}, invoker = {NULL, true, false};
	static const struct rename rename = {"db", NULL, false};
	struct needs needs = {0};
	struct sql_text mode = *text;
	struct buf b;

	buf_init(&b, 1 << 20);
	if (!made_change(&b, text, &all) && b.len)
		abort();
	buf_reset(&b);
	if (!made_change(&b, text, &invoker) && b.len)
		abort();
	needs_add(&needs, text, &rename);
	needs_done(&needs);
	needs_follow_mode(&mode, text);
	buf_done(&b);
}

static void views(const char *p, size_t n)
{
	struct view_order o = {0};
	size_t got[3], sum = 0;

	*list_push(&o) = (struct view_node){.name = "w"};
	*list_push(&o) = (struct view_node){.name = "t", .dead = true};
	*list_push(&o) = (struct view_node){.name = "v"};
	for (size_t i = 0; i < o.n; i++)
		view_order_text(&o, i, p + i % (n + 1), n - i % (n + 1));
	view_order_get(&o, got);
	for (size_t i = 0; i < o.n; i++)
		sum += (size_t)1 << got[i];
	if (sum != 7)
		abort();
	view_order_done(&o);
}

void fuzz_one(const uint8_t *p, size_t n)
{
	/* of its own size: a read behind it is found */
	CLEANUP(freep) char *copy = xmemdup(p, n);
	struct buf a, b;
	char delimiter[24];

	if (n < 2)
		return;
	defer(copy, n, n & 1);
	change(&(struct sql_text){copy, n, n & 1, n & 2});
	views(copy, n);
	buf_init(&a, 1 << 20);
	buf_init(&b, 1 << 20);
	sql_unqualify(&a, copy, n, "db");
	sql_view_columns(&a, copy, n);
	buf_reset(&a);
	sql_unqualify_trigger(&a, copy, n, "db");
	buf_reset(&a);
	(void)sql_period_columns(copy, n, &a, &b);
	sql_delimiter(delimiter, copy, n);
	if (memmem(copy, n, delimiter, strlen(delimiter)))
		abort();
	buf_done(&a);
	buf_done(&b);
}

size_t fuzz_seed(size_t i, uint8_t *out, size_t max)
{
	return fuzz_text_seed(seeds, ARRAY_LEN(seeds), i, out, max);
}
