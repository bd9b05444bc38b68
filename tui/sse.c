/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/sse.h"

#include <string.h>

#include "shared/str.h"

enum { RETRY_MAX_MS = 3600000 };

void sse_init(struct sse *s, size_t max, void (*on_event)(void *ctx, const struct sse_event *ev), void *ctx)
{
	*s = (struct sse){.on_event = on_event, .ctx = ctx, .retry_ms = -1};
	buf_init(&s->line, max);
	buf_init(&s->data, max);
}

void sse_done(struct sse *s)
{
	buf_done(&s->line);
	buf_done(&s->data);
}

void sse_restart(struct sse *s)
{
	buf_reset(&s->line);
	buf_reset(&s->data);
	s->type[0] = '\0';
	str_cut(s->id, sizeof(s->id), s->last_id);
	s->begun = s->after_cr = false;
}

/* An empty line: what was gathered is an event, unless it has no data. */
static void dispatch(struct sse *s)
{
	str_cut(s->last_id, sizeof(s->last_id), s->id);
	if (s->data.len) {
		struct sse_event ev = {.type = s->type[0] ? s->type : "message", .id = s->last_id};

		s->data.p[--s->data.len] = '\0'; /* the LF behind the last line */
		ev.data = s->data.p;
		ev.len = s->data.len;
		s->on_event(s->ctx, &ev);
	}
	buf_reset(&s->data);
	s->type[0] = '\0';
}

static void field(struct sse *s, const char *name, size_t name_len, const char *value, size_t len)
{
	if (name_len == 4 && memcmp(name, "data", 4) == 0) {
		buf_add(&s->data, value, len);
		buf_addc(&s->data, '\n');
	} else if (name_len == 5 && memcmp(name, "event", 5) == 0) {
		if (len >= sizeof(s->type))
			len = sizeof(s->type) - 1;
		memcpy(s->type, value, len);
		s->type[len] = '\0';
	} else if (name_len == 2 && memcmp(name, "id", 2) == 0) {
		/* one with a NUL is to be ignored; one that is too long could not be sent back whole */
		if (len < sizeof(s->id) && !memchr(value, '\0', len)) {
			memcpy(s->id, value, len);
			s->id[len] = '\0';
		}
	} else if (name_len == 5 && memcmp(name, "retry", 5) == 0) {
		char digits[16];
		uint64_t ms;

		if (len < sizeof(digits) && strspn(value, "0123456789") >= len) {
			memcpy(digits, value, len);
			digits[len] = '\0';
			if (str_to_u64(&ms, digits, 0, RETRY_MAX_MS) == 0)
				s->retry_ms = (int64_t)ms;
		}
	}
}

/* line is ended by a NUL behind len. */
static void take_line(struct sse *s, const char *line, size_t len)
{
	const char *colon, *value = "";
	size_t name_len = len, value_len = 0;

	if (len == 0) {
		dispatch(s);
		return;
	}
	colon = memchr(line, ':', len);
	if (colon == line)
		return; /* a comment: the server only shows that it lives */
	if (colon) {
		name_len = (size_t)(colon - line);
		value = colon + 1;
		value_len = len - name_len - 1;
		if (value_len && value[0] == ' ') {
			value++;
			value_len--;
		}
	}
	field(s, line, name_len, value, value_len);
}

/* A byte order mark in front of all is no part of the first line. */
static void skip_mark(struct sse *s)
{
	if (!s->begun && s->line.len >= 3 && memcmp(s->line.p, "\xef\xbb\xbf", 3) == 0)
		buf_drop(&s->line, 3);
	s->begun = true;
}

/* The first CR or LF of p[0..n), or NULL. */
static const char *line_end(const char *p, size_t n)
{
	const char *lf = memchr(p, '\n', n);
	const char *cr = memchr(p, '\r', lf ? (size_t)(lf - p) : n);

	return cr ? cr : lf;
}

int sse_feed(struct sse *s, const char *p, size_t n)
{
	while (n) {
		const char *end;
		size_t len;

		if (s->after_cr && *p == '\n') {
			s->after_cr = false;
			p++;
			n--;
			continue;
		}
		s->after_cr = false;
		end = line_end(p, n);
		len = end ? (size_t)(end - p) : n;
		buf_add(&s->line, p, len);
		if (s->line.over)
			return -1;
		if (!end)
			return 0;
		skip_mark(s);
		take_line(s, s->line.p, s->line.len);
		if (s->data.over)
			return -1;
		buf_reset(&s->line);
		s->after_cr = *end == '\r';
		p = end + 1;
		n -= len + 1;
	}
	return 0;
}
