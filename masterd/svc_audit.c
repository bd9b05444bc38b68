/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/svc_audit.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "shared/buf.h"
#include "shared/json.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { DETAIL_MAX = 16 * 1024 };

struct actor actor_named(const char *name, int64_t at)
{
	struct actor a = {.at = at};

	str_cut(a.name, sizeof(a.name), name);
	str_clean(a.name);
	return a;
}

struct actor actor_of(const struct req *r)
{
	struct actor a = {0};

	if (r->who.node_id) {
		char name[64];

		snprintf(name, sizeof(name), "node %" PRId64, r->who.node_id);
		a = actor_named(name, r->now);
	} else {
		a = actor_named(r->who.name, r->now);
	}
	str_cut(a.peer, sizeof(a.peer), r->peer);
	return a;
}

const char *audit_node(char text[static AUDIT_OBJECT], int64_t id, const char *name)
{
	snprintf(text, AUDIT_OBJECT, "node %" PRId64 " (%.200s)", id, name);
	return text;
}

const char *audit_thing(char text[static AUDIT_OBJECT], const char *kind, const char *name)
{
	snprintf(text, AUDIT_OBJECT, "%.50s %.200s", kind, name);
	return text;
}

static void write_pairs(struct buf *b, va_list ap)
{
	struct json_out o;
	const char *name;

	json_out_init(&o, b);
	json_obj(&o, NULL);
	while ((name = va_arg(ap, const char *))) {
		const char *text = va_arg(ap, const char *);

		if (text)
			json_put_strn(&o, name, text, strnlen(text, 1024));
	}
	json_end_obj(&o);
}

int audit_note(struct db *db, const struct actor *a, struct err *e, const char *action, const char *object, ...)
{
	struct audit row = {.at = a->at, .who = a->name, .peer = a->peer, .action = action};
	char what[AUDIT_OBJECT - 1];
	struct buf detail;
	va_list ap;
	int rc;

	str_cut(what, sizeof(what), object);
	str_clean(what);
	row.object = what;
	buf_init(&detail, DETAIL_MAX);
	va_start(ap, object);
	write_pairs(&detail, ap);
	va_end(ap);
	rc = buf_check(&detail, "detail of the audit trail", e);
	row.detail = detail.p;
	if (!rc)
		rc = tbl_audit_add(db, &row, e);
	buf_done(&detail);
	return rc;
}
