/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/catalogue.h"
#include "noded/run/catalogue_priv.h"
#include "shared/mem.h"
#include "shared/str.h"

/* What is found of a run after it ended: it restores or not, its archives are sound or damaged. */

static const char damaged_mark[] = "damaged: ";

/* What fails takes its green from a run; what succeeds later gives back only what that took. */
static int set_proof(struct catalogue *c, const char *uuid, const char *failure, int64_t proven, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;

	if (sql_prepare(c->db, &s,
			"UPDATE runs SET rev=rev+1, proven=?2, proof=?3,"
			" state=CASE WHEN NOT (" CATALOGUE_WAS_GOOD ") THEN state WHEN ?3<>'' THEN 'suspect'"
			"  WHEN state='suspect' THEN 'warning' ELSE state END,"
			" error_kind=CASE WHEN NOT (" CATALOGUE_WAS_GOOD ") THEN error_kind WHEN ?3<>'' THEN 'damaged'"
			"  WHEN state='suspect' THEN '' ELSE error_kind END,"
			" error=CASE WHEN NOT (" CATALOGUE_WAS_GOOD ") THEN error WHEN ?3<>'' THEN ?4 || ?3"
			"  WHEN state='suspect' THEN '' ELSE error END WHERE uuid=?1", e))
		return -1;
	sql_bind_str(s, 1, uuid);
	sql_bind_int(s, 2, proven);
	sql_bind_str(s, 3, failure);
	sql_bind_str(s, 4, str_starts(failure, damaged_mark) ? "" : "proof failed: ");
	return sql_run(s, e);
}

static int end_damage(struct catalogue *c, const char *uuid, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;

	if (sql_prepare(c->db, &s, "UPDATE archives SET damage='', damage_at=0, damage_depth=0 WHERE run=?", e))
		return -1;
	sql_bind_str(s, 1, uuid);
	return sql_run(s, e);
}

static int prove(struct catalogue *c, const char *uuid, const struct catalogue_proof *proof, struct err *e)
{
	if (!proof->failure && end_damage(c, uuid, e))
		return -1;
	return set_proof(c, uuid, str_or(proof->failure, ""), proof->failure ? 0 : proof->at, e);
}

int catalogue_proof(struct catalogue *c, const char *uuid, const struct catalogue_proof *proof, struct err *e)
{
	if (sql_exec(c->db, "BEGIN IMMEDIATE", e))
		return -1;
	return catalogue_finish(c, prove(c, uuid, proof, e), e);
}

/* ---- damage */

struct owner {
	char run[UUID_TEXT];
	char proof[WIRE_TEXT];   /* of the run */
	bool damaged;            /* the archive was, */
	int depth;               /* and by so deep a look */
};

/* Whose is it? run "": nobody's, or of a run that is being deleted, of which nothing matters any more. */
static int find_owner(struct catalogue *c, const struct catalogue_look *l, struct owner *ret, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;
	int more;

	*ret = (struct owner){0};
	if (sql_prepare(c->db, &s, "SELECT r.uuid, r.proof, a.damage<>'', a.damage_depth FROM archives a JOIN runs r ON r.uuid=a.run"
				   " WHERE a.storage=? AND a.key=? AND a.stored=1 AND r.expiring=0", e))
		return -1;
	sql_bind_str(s, 1, l->storage);
	sql_bind_str(s, 2, l->key);
	more = sql_step(s, e);
	if (more > 0) {
		str_cut(ret->run, sizeof(ret->run), sql_str(s, 0));
		str_cut(ret->proof, sizeof(ret->proof), sql_str(s, 1));
		ret->damaged = sql_int(s, 2) != 0;
		ret->depth = (int)sql_int(s, 3);
	}
	return more < 0 ? -1 : 0;
}

static int set_damage(struct catalogue *c, const struct catalogue_look *l, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;

	if (sql_prepare(c->db, &s, "UPDATE archives SET damage=?3, damage_at=?4, damage_depth=?5 WHERE storage=?1 AND key=?2", e))
		return -1;
	sql_bind_str(s, 1, l->storage);
	sql_bind_str(s, 2, l->key);
	sql_bind_str(s, 3, str_or(l->damage, ""));
	sql_bind_int(s, 4, l->damage ? l->at : 0);
	sql_bind_int(s, 5, l->damage ? l->depth : 0);
	return sql_run(s, e);
}

/* Of all archives of the run, as the proof says it; "" none. */
static int first_damage(struct catalogue *c, const char *uuid, char ret[static WIRE_TEXT], struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;
	CLEANUP(freep) char *text = NULL;
	int more;

	if (sql_prepare(c->db, &s, "SELECT damage FROM archives WHERE run=? AND stored=1 AND damage<>'' ORDER BY id LIMIT 1", e))
		return -1;
	sql_bind_str(s, 1, uuid);
	more = sql_step(s, e);
	text = xasprintf("%s%s", more > 0 ? damaged_mark : "", more > 0 ? sql_str(s, 0) : "");
	str_cut(ret, WIRE_TEXT, text);
	return more < 0 ? -1 : 0;
}

static int look(struct catalogue *c, const struct catalogue_look *l, struct catalogue_seen *ret, struct err *e)
{
	char damage[WIRE_TEXT];
	struct owner o;

	if (find_owner(c, l, &o, e))
		return -1;
	str_cut(ret->run, sizeof(ret->run), o.run);
	ret->stays = o.damaged && !l->damage && l->depth < o.depth;
	if (!*o.run || ret->stays || (!l->damage && !o.damaged) || (l->once && o.damaged))
		return 0;
	if (set_damage(c, l, e) || first_damage(c, o.run, damage, e))
		return -1;
	/* the copy was not what was dumped, though all bytes were: that is another matter */
	if (*o.proof && !str_starts(o.proof, damaged_mark))
		return 0;
	ret->changed = !str_eq(damage, o.proof);
	return ret->changed ? set_proof(c, o.run, damage, 0, e) : 0;
}

int catalogue_look(struct catalogue *c, const struct catalogue_look *l, struct catalogue_seen *ret, struct err *e)
{
	*ret = (struct catalogue_seen){0};
	if (sql_exec(c->db, "BEGIN IMMEDIATE", e))
		return -1;
	return catalogue_finish(c, look(c, l, ret, e), e);
}
