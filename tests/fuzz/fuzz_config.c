/* SPDX-License-Identifier: Apache-2.0 */
/* config.json of a node, and with a first byte of 'p' a wp-config.php. */
#include "noded/wpconfig.c"

#include <stdio.h>

#include "noded/config.h"
#include "tests/fuzz/fuzz.h"

static const char *const seeds[] = {
	"{\"server_id\":\"web-01.test\",\"sites\":[{\"name\":\"shop\",\"db_name\":\"shop\",\"db_host\":\"127.0.0.1:3306\",\"db_user\":\"u\","
	"\"db_password\":\"p\",\"paths\":[\"/srv/www\"],\"exclude\":[\"*.log\",\"!a/**\"],\"exclude_tables\":[\"t\",\"l:data\"],"
	"\"hooks\":{\"before\":[\"/bin/true a\"]}}],\"storage\":[{\"name\":\"s\",\"type\":\"s3\",\"endpoint\":\"https://s3.test\","
	"\"bucket\":\"b\",\"access_key\":\"k\",\"secret_key\":\"x\",\"weight\":5}],\"timers\":[{\"name\":\"n\",\"sites\":[\"shop\"],"
	"\"calendar\":\"*-*-* 03:00:00\",\"delay\":\"1h 30min\"}],\"keep\":{\"daily\":7,\"within\":\"2d\"}}",
	"{\"sites\":[{\"name\":\"a\",\"wp_config_path\":\"/srv/wp-config.php\"},{\"name\":\"all\",\"db_name\":\"*\",\"db_exclude\":[\"x\"]}],"
	"\"storage\":[{\"name\":\"d\",\"type\":\"dir\",\"path\":\"/backup\",\"storage_limit_gb\":0.5,\"max_upload_mbps\":1e3}]}",
	"p<?php // settings\ndefine('DB_NAME', 'shop' . \"_\\x41\");\nconst DB_USER = <<<'X'\nroot\nX;\n$table_prefix = \"wp_\";\n"
	"define( \"DB_PASSWORD\", getenv('NONE') ?: 'it\\'s' ); /* x */ # y\nrequire_once ABSPATH . 'wp-settings.php';",
	"p<?= 1 ?>\n<?php if (!defined('DB_HOST')) define('DB_HOST', <<<\"E\"\n a{$b}\\u{e9}\n E . DB_NAME ?? null); $x = ['a' => 1];",
};

void fuzz_begin(void)
{
}

static void read_config(const char *p, size_t n)
{
	CLEANUP(config_freep) struct config *c = NULL;
	struct problems problems = {0}, unknown = {0};
	struct err e;

	(void)!config_parse(&c, p, n, "config.json", &problems, &unknown, &e);
	problems_done(&problems);
	problems_done(&unknown);
}

void fuzz_one(const uint8_t *p, size_t n)
{
	/* of its own size: a read behind it is found */
	CLEANUP(freep) char *copy = xmemdup(p, n);
	struct wp_config w = {0};
	struct err e;

	if (!n || copy[0] != 'p') {
		read_config(copy, n);
		return;
	}
	if (wp_config_parse(&w, copy + 1, n - 1, "wp-config.php", &e) == 0)
		wp_config_done(&w);
}

size_t fuzz_seed(size_t i, uint8_t *out, size_t max)
{
	size_t n = i < ARRAY_LEN(seeds) ? strlen(seeds[i]) : 0;

	memcpy(out, i < ARRAY_LEN(seeds) ? seeds[i] : "", n < max ? n : max);
	return n;
}
