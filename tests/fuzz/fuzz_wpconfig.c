/* SPDX-License-Identifier: Apache-2.0 */
/* A wp-config.php: any PHP ends in an answer, and a constant that is not known says why. */
#include "noded/wpconfig.c"

#include "tests/fuzz/fuzz.h"

static const char *const seeds[] = {
	"<?php // settings\ndefine('DB_NAME', 'shop' . \"_\\x41\");\nconst DB_USER = <<<'X'\nroot\nX;\n$table_prefix = \"wp_\";\n"
	"define( \"DB_PASSWORD\", getenv('NONE') ?: 'it\\'s' ); /* x */ # y\nrequire_once ABSPATH . 'wp-settings.php';",
	"<?= 1 ?>\n<?php if (!defined('DB_HOST')) define('DB_HOST', <<<\"E\"\n a{$b}\\u{e9}\n E . DB_NAME ?? null); $x = ['a' => 1];",
	"<?php\nconst DB_NAME='a',DB_USER=\"b$c\";define('DB_NAME','z');define('DB_CHARSET',DB_NAME.DB_USER);namespace x;// ?>\n<?php include 'y';",
	"<?php define('WP_CONTENT_DIR', __DIR__ . '/wp-content'); define(\"DB_HOST\", $_ENV['H'] ?? \"\\0\\101\\x4\\u{1F600}\"); #[A]\n",
};

void fuzz_begin(void)
{
}

static void judge(const struct php_value *v)
{
	if ((v->text && v->why) || (v->why && !v->line))
		abort();
}

void fuzz_one(const uint8_t *p, size_t n)
{
	/* of its own size: a read behind it is found */
	CLEANUP(freep) char *copy = xmemdup(p, n);
	struct wp_config w = {0};
	struct err e;

	if (wp_config_parse(&w, copy, n, "wp-config.php", &e))
		return;
	for (size_t i = 0; i < WP_CONSTANTS; i++)
		judge(&w.constants[i]);
	judge(&w.table_prefix);
	wp_config_done(&w);
}

size_t fuzz_seed(size_t i, uint8_t *out, size_t max)
{
	return fuzz_text_seed(seeds, ARRAY_LEN(seeds), i, out, max);
}
