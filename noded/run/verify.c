/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/verify.h"

#include "shared/daemon.h"
#include "shared/mem.h"
#include "shared/str.h"

static bool stopping(void *ctx)
{
	(void)ctx;
	return daemon_stopping();
}

struct telling {
	const struct verify_opts *o;
	uint64_t near; /* members that share a part with wrong bytes */
};

static void tell_damage(void *ctx, const char *member, const char *why)
{
	struct telling *t = ctx;

	t->o->damaged(t->o->ctx, member, why);
}

/* A part of which one byte is wrong holds many members: which of them suffered is
 * known once they are unpacked. The end of the archive is none of them. */
static void tell_end(void *ctx, const char *name, const char *why)
{
	struct telling *t = ctx;

	if (str_eq(name, "manifest.json"))
		tell_damage(t, name, why);
	else
		t->near++;
}

static void tell_progress(void *ctx, uint64_t fetched)
{
	struct telling *t = ctx;

	if (t->o->progress)
		t->o->progress(t->o->ctx, fetched);
}

/* Each line of the sidecar's index can be needed for a look-up. */
static int check_sidecar(const struct verify_opts *o, struct opened *opened, struct verify_result *ret, struct err *e)
{
	struct err why = {0};

	if (opened->sidecar && archive_check_sidecar(opened->reader, &why)) {
		if (why.kind != ERR_DAMAGED)
			return *e = why, -1;
		if (opened_leave_sidecar(opened, why.msg, e))
			return -1;
	}
	if (opened->sidecar_damage) {
		ret->damaged++;
		o->damaged(o->ctx, ".idx", opened->sidecar_damage);
	}
	return 0;
}

static int read_opened(const struct verify_opts *o, struct opened *opened, struct verify_result *ret, struct err *e)
{
	struct telling t = {.o = o};
	struct archive_read_opts read = {.damaged = tell_damage, .progress = tell_progress, .stop = stopping,
					       .ctx = &t};
	static const char *const files[] = {"RESTORE.txt", "files/*"};
	struct archive_read_result r = {0};

	if (check_sidecar(o, opened, ret, e))
		return -1;
	ret->no_sidecar = !opened->sidecar;
	if (opened->cut_from) { /* the members say what is gone, better than the parts */
		ret->damaged++;
		o->damaged(o->ctx, "", "the archive is cut short");
	} else if (opened->sidecar) {
		read.damaged = tell_end;
		if (archive_verify_parts(opened->reader, &read, &r, e))
			return -1;
		read.damaged = tell_damage;
		ret->bytes += r.bytes;
		ret->damaged += r.damaged - t.near;
		ret->members = r.members;
	}
	if (o->members != VERIFY_STORED || opened->cut_from || !opened->sidecar || t.near) {
		r = (struct archive_read_result){0};
		/* with damage all is read: every member that suffered has a name */
		if (o->members == VERIFY_FILES && opened->sidecar && !ret->damaged && !t.near) {
			read.prefixes = files;
			read.n_prefixes = ARRAY_LEN(files);
		}
		if (archive_read(opened->reader, &read, NULL, &r, e))
			return -1;
		ret->bytes += r.bytes;
		ret->damaged += r.damaged;
		ret->members = r.members;
	}
	if (t.near && !ret->damaged) {
		ret->damaged++;
		o->damaged(o->ctx, "", "stored bytes do not agree with their SHA-256, though every member can be read");
	}
	return 0;
}

int verify_archive(const struct verify_opts *o, const struct found_archive *a, struct verify_result *ret,
		   struct err *e)
{
	struct opened opened = {0};
	int rc;

	*ret = (struct verify_result){0};
	rc = opened_open(&opened, o->config, a, e);
	if (rc == 0)
		rc = read_opened(o, &opened, ret, e);
	ret->fetched = opened.fetched;
	opened_close(&opened);
	if (rc && e->kind == ERR_NOTFOUND && store_bare(config_storage(o->config, a->storage)))
		return err_set(e, ERR_STORAGE, "storage %s is an empty directory: is its disk mounted?", a->storage);
	/* An archive that does not open for its content is damage, known for sure. */
	if (rc && (e->kind == ERR_DAMAGED || e->kind == ERR_INVALID || e->kind == ERR_NOTFOUND)) {
		ret->damaged++;
		o->damaged(o->ctx, "", e->msg);
		return 0;
	}
	return rc;
}
