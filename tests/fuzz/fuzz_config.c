/* SPDX-License-Identifier: Apache-2.0 */
/* config.json of a node. */
#include "noded/config.h"
#include "shared/mem.h"
#include "tests/fuzz/fuzz.h"

static const char *const seeds[] = {
	"{\"server_id\":\"web-01.test\",\"sites\":[{\"name\":\"shop\",\"db_name\":\"shop\",\"db_host\":\"127.0.0.1:3306\",\"db_user\":\"u\","
	"\"db_password\":\"p\",\"paths\":[\"/srv/www\"],\"exclude\":[\"*.log\",\"!a/**\"],\"exclude_tables\":[\"t\",\"l:data\"],"
	"\"hooks\":{\"before\":[\"/bin/true a\"]}}],\"storage\":[{\"name\":\"s\",\"type\":\"s3\",\"endpoint\":\"https://s3.test\","
	"\"bucket\":\"b\",\"access_key\":\"k\",\"secret_key\":\"x\",\"weight\":5}],\"timers\":[{\"name\":\"n\",\"sites\":[\"shop\"],"
	"\"calendar\":\"*-*-* 03:00:00\",\"delay\":\"1h 30min\"}],\"keep\":{\"daily\":7,\"within\":\"2d\"}}",
	"{\"sites\":[{\"name\":\"a\",\"wp_config_path\":\"/srv/wp-config.php\"},{\"name\":\"all\",\"db_name\":\"*\",\"db_exclude\":[\"x\"]}],"
	"\"storage\":[{\"name\":\"d\",\"type\":\"dir\",\"path\":\"/backup\",\"storage_limit_gb\":0.5,\"max_upload_mbps\":1e3}]}",
};

void fuzz_begin(void)
{
}

void fuzz_one(const uint8_t *p, size_t n)
{
	/* of its own size: a read behind it is found */
	CLEANUP(freep) char *copy = xmemdup(p, n);
	CLEANUP(config_freep) struct config *c = NULL;
	struct problems problems = {0}, unknown = {0};
	struct err e;

	(void)!config_parse(&c, copy, n, "config.json", &problems, &unknown, &e);
	problems_done(&problems);
	problems_done(&unknown);
}

size_t fuzz_seed(size_t i, uint8_t *out, size_t max)
{
	return fuzz_text_seed(seeds, ARRAY_LEN(seeds), i, out, max);
}
