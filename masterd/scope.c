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
