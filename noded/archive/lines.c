/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/archive/lines.h"

#include <stdlib.h>
#include <string.h>

#include "shared/mem.h"

enum { LINE_CAP = 2 << 20 };

void index_lines_init(struct index_lines *l, struct index_blocks *blocks)
{
	*l = (struct index_lines){.blocks = blocks};
	buf_init(&l->line, LINE_CAP);
}

void index_lines_done(struct index_lines *l)
{
	buf_done(&l->line);
	free(l->last);
	l->last = NULL;
}

static int take_line(struct index_lines *l, struct err *e)
{
	struct archive_entry entry;
	int failed = 0;

	if (index_get_line(&entry, l->line.p, l->line.len - 1, e))
		return -1;
	if (l->last && strcmp(l->last, entry.name) > 0)
		failed = err_set(e, ERR_DAMAGED, "index.jsonl is not sorted");
	if (entry.at + entry.len > l->end)
		l->end = entry.at + entry.len;
	failed = failed || index_blocks_add(l->blocks, entry.name, l->line.p, l->line.len, e);
	free(l->last);
	l->last = TAKE(entry.name);
	archive_entry_done(&entry);
	return failed ? -1 : 0;
}

int index_lines_add(struct index_lines *l, const void *p, size_t n, struct err *e)
{
	const char *at = p, *end;

	while (n && (end = memchr(at, '\n', n))) {
		size_t part = (size_t)(end + 1 - at);

		buf_add(&l->line, at, part);
		if (buf_check(&l->line, "a line of index.jsonl", e) || take_line(l, e))
			return -1;
		buf_reset(&l->line);
		at += part;
		n -= part;
	}
	buf_add(&l->line, at, n);
	return buf_check(&l->line, "a line of index.jsonl", e);
}

int index_lines_end(struct index_lines *l, struct err *e)
{
	return l->line.len ? err_set(e, ERR_DAMAGED, "index.jsonl is cut short") : index_blocks_end(l->blocks, e);
}
