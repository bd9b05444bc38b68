/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/store/s3_sweep.h"

#include <stdlib.h>

#include "shared/mem.h"
#include "shared/str.h"

enum { LIST_REPLY_MAX = 8 << 20 };

struct marker {
	char *key, *upload;
};

static void marker_done(struct marker *m)
{
	free(m->key);
	free(m->upload);
}

static int sweep_page(struct s3 *s, const struct s3_sweep *what, const struct xml_reply *page, unsigned *swept,
		      struct err *e)
{
	for (size_t i = 0; i < page->items.n; i++) {
		const struct xml_item *it = &page->items.v[i];
		struct s3_call c = {.what = "abort", .method = "DELETE", .key = it->key,
				    .query = {{"uploadId", it->upload_id}}};
		CLEANUP(s3_answer_done) struct s3_answer a = {0};

		if (str_empty(it->upload_id) || it->initiated > what->older_than_ms ||
		    !(what->exact ? str_eq(it->key, what->prefix) : str_starts(it->key, what->prefix)))
			continue;
		if (s3_do(s, &c, &a, e)) {
			if (a.http.status == 404)
				continue; /* somebody else was faster */
			return -1;
		}
		++*swept;
	}
	return 0;
}

int s3_sweep_uploads(struct s3 *s, const struct s3_sweep *what, unsigned *swept, struct err *e)
{
	CLEANUP(marker_done) struct marker at = {0};
	bool more = true;

	*swept = 0;
	while (more) {
		struct s3_call c = {.what = "list uploads of", .method = "GET", .max_reply = LIST_REPLY_MAX,
				    .query = {{"uploads", ""}, {"prefix", what->prefix}, {"encoding-type", "url"},
					      {"max-uploads", "1000"}}};
		CLEANUP(s3_answer_done) struct s3_answer a = {0};

		if (at.key) {
			c.query[4] = (struct sigv4_pair){"key-marker", at.key};
			c.query[5] = (struct sigv4_pair){"upload-id-marker", str_or(at.upload, "")};
		}
		if (s3_do(s, &c, &a, e) || sweep_page(s, what, &a.xml, swept, e))
			return -1;
		more = a.xml.truncated && !str_empty(a.xml.next_key) &&
		       !(str_eq(at.key, a.xml.next_key) && str_eq(at.upload, a.xml.next_upload));
		marker_done(&at);
		at = (struct marker){TAKE(a.xml.next_key), TAKE(a.xml.next_upload)};
	}
	return 0;
}
