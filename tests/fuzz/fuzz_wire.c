/* SPDX-License-Identifier: Apache-2.0 */
/* What travels between node, master and console: whatever is taken is written as
 * what is taken again, without a problem, and the second time as the same bytes. */
#include "shared/wire.h"

#include <stdio.h>
#include <stdlib.h>

#include "shared/mem.h"
#include "tests/fuzz/fuzz.h"

static const char *const seeds[] = {
	"{\"ts\":\"2026-11-23T03:10:00Z\",\"cpu_usage\":12.5,\"disk_usage\":80,\"active_backups\":1,\"load\":[0.1,0.2,0.3],\"mem_total\":1024,"
	"\"disks\":[{\"mount\":\"/\",\"total\":9,\"used\":3,\"percent\":33.3,\"inodes_percent\":1}],\"runs\":[{\"uuid\":"
	"\"3b241101-e2bb-4255-8caf-4136c566a962\",\"site\":\"shop\",\"what\":\"db\",\"phase\":\"dump\",\"bytes_done\":5}],\"timers\":[{"
	"\"name\":\"n\",\"on_calendar\":\"daily\",\"enabled\":true}],\"storages\":[{\"name\":\"s\",\"type\":\"dir\",\"state\":\"ok\"}]}",
	"{\"uuid\":\"3b241101-e2bb-4255-8caf-4136c566a962\",\"batch\":\"3b241101-e2bb-4255-8caf-4136c566a963\",\"rev\":3,\"site\":\"shop\","
	"\"timer\":\"nightly\",\"trigger\":\"timer\",\"what\":\"db+files\",\"state\":\"ok\",\"started\":\"2026-11-23T03:10:00Z\",\"finished\":"
	"\"2026-11-23T03:11:00Z\",\"bytes_in\":5,\"log\":\"l\\n\",\"phases\":[{\"name\":\"dump\",\"ms\":9}],\"archives\":[{\"storage\":\"s\","
	"\"db\":\"d\",\"key\":\"k\",\"size\":1,\"sha256\":\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"}]}",
};

void fuzz_begin(void)
{
}

typedef bool again_fn(struct buf *b, const struct json *j, struct problems *p);

/* False: not taken. */
static bool run_again(struct buf *b, const struct json *j, struct problems *p)
{
	struct json_out o;
	struct wire_run r;

	wire_run_init(&r);
	wire_run_get(&r, j, "", p);
	json_out_init(&o, b);
	wire_run_put(&o, NULL, &r);
	wire_run_done(&r);
	return !p->n;
}

static bool sample_again(struct buf *b, const struct json *j, struct problems *p)
{
	struct json_out o;
	struct wire_sample s;

	wire_sample_init(&s);
	wire_sample_get(&s, j, "", p);
	json_out_init(&o, b);
	wire_sample_put(&o, NULL, &s);
	wire_sample_done(&s);
	return !p->n;
}

static void there_and_back(again_fn *again, const struct json *j)
{
	CLEANUP(json_freep) struct json *second = NULL;
	struct problems p = {0};
	struct buf a, b;
	struct err e;

	buf_init(&a, 1 << 20);
	buf_init(&b, 1 << 20);
	if (again(&a, j, &p) && !a.over) {
		if (json_parse(&second, a.p, a.len, &e) || !again(&b, second, &p) || a.len != b.len || memcmp(a.p, b.p, a.len) != 0) {
			fprintf(stderr, "taken, written and not the same (%s %s):\n%.*s\n%.*s\n", p.n ? p.v[0].path : "", p.n ? p.v[0].msg : "",
				(int)a.len, a.p, (int)b.len, b.p ? b.p : "");
			abort();
		}
	}
	problems_done(&p);
	buf_done(&a);
	buf_done(&b);
}

void fuzz_one(const uint8_t *p, size_t n)
{
	CLEANUP(json_freep) struct json *j = NULL;
	struct err e;

	if (json_parse(&j, (const char *)p, n, &e))
		return;
	there_and_back(run_again, j);
	there_and_back(sample_again, j);
}

size_t fuzz_seed(size_t i, uint8_t *out, size_t max)
{
	return fuzz_text_seed(seeds, ARRAY_LEN(seeds), i, out, max);
}
