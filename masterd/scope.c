/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/scope.h"

#include <string.h>

#include "shared/json.h"
#include "shared/mem.h"
#include "shared/str.h"

bool scope_is_all(const struct scope *s)
{
	return !s->tags[0] || str_eq(s->tags, "[]");
}

bool scope_same(const struct scope *a, const struct scope *b)
{
	return a->untagged == b->untagged && (str_eq(a->tags, b->tags) || (scope_is_all(a) && scope_is_all(b)));
}

static bool has_tag(const struct json *tags, const char *tag)
{
	for (const struct json *t = json_first(tags); t; t = json_next(t))
		if (tag && str_eq(json_str(t), tag))
			return true;
	return false;
}

bool scope_sees(const struct scope *s, const char *node_tags)
{
	CLEANUP(json_freep) struct json *ours = NULL;
	CLEANUP(json_freep) struct json *theirs = NULL;

	if (scope_is_all(s))
		return true;
	/* a limit that cannot be read lets nothing through */
	if (!node_tags || json_parse(&ours, s->tags, strlen(s->tags), NULL) ||
	    json_parse(&theirs, node_tags, strlen(node_tags), NULL))
		return false;
	for (const struct json *t = json_first(ours); t; t = json_next(t))
		if (has_tag(theirs, json_str(t)))
			return true;
	return false;
}

bool scope_sees_waiting(const struct scope *s, const char *node_tags, bool waits)
{
	if (waits && s->untagged && (!node_tags || str_eq(node_tags, "[]")))
		return true;
	return scope_sees(s, node_tags);
}

/* Is each of these tags among the other ones or in the scope? */
static bool all_known(const struct json *tags, const struct json *others, const struct json *ours)
{
	for (const struct json *t = json_first(tags); t; t = json_next(t))
		if (!has_tag(others, json_str(t)) && !has_tag(ours, json_str(t)))
			return false;
	return true;
}

bool scope_may_retag(const struct scope *s, const char *before, const char *after)
{
	CLEANUP(json_freep) struct json *ours = NULL;
	CLEANUP(json_freep) struct json *was = NULL;
	CLEANUP(json_freep) struct json *is = NULL;

	if (scope_is_all(s))
		return true;
	if (!scope_sees(s, after) || json_parse(&ours, s->tags, strlen(s->tags), NULL) ||
	    json_parse(&was, before ? before : "[]", before ? strlen(before) : 2, NULL) ||
	    json_parse(&is, after, strlen(after), NULL))
		return false;
	return all_known(is, was, ours) && all_known(was, is, ours);
}

void scope_narrow(struct scope *s, const struct scope *by)
{
	CLEANUP(json_freep) struct json *ours = NULL;
	CLEANUP(json_freep) struct json *theirs = NULL;
	struct json_out o;
	struct buf b;

	if (scope_is_all(by))
		return;
	if (scope_is_all(s)) {
		str_cut(s->tags, sizeof(s->tags), by->tags);
		return;
	}
	buf_init(&b, SCOPE_TAGS - 1);
	json_out_init(&o, &b);
	json_arr(&o, NULL);
	if (!json_parse(&ours, s->tags, strlen(s->tags), NULL) && !json_parse(&theirs, by->tags, strlen(by->tags), NULL))
		for (const struct json *t = json_first(ours); t; t = json_next(t))
			if (has_tag(theirs, json_str(t)))
				json_put_str(&o, NULL, json_str(t));
	json_end_arr(&o);
	/* no tag in both: a limit that no machine carries, for an empty one would be none */
	str_cut(s->tags, sizeof(s->tags), b.over || str_eq(b.p, "[]") ? "[\"\"]" : b.p);
	buf_done(&b);
}
