/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/files/owner.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>

#include "shared/list.h"
#include "shared/mem.h"

enum { OWNERS_MAX = 4096, ANSWER_MAX = 64 << 10 };

struct owner {
	id_t id;
	char *name;
};
struct owner_list { LIST_OF(struct owner); };
struct owners {
	struct owner_list users, groups;
};

struct owners *owners_new(void)
{
	return xcalloc(1, sizeof(struct owners));
}

static void free_list(struct owner_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].name);
	list_done(l);
}

void owners_free(struct owners *o)
{
	if (!o)
		return;
	free_list(&o->users);
	free_list(&o->groups);
	free(o);
}

/* The number's place; the last one found comes first, neighbours are alike. */
static struct owner *look(struct owner_list *l, id_t id)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].id == id) {
			struct owner swap = l->v[0];

			l->v[0] = l->v[i];
			l->v[i] = swap;
			return &l->v[0];
		}
	return NULL;
}

static struct owner *add(struct owner_list *l, id_t id, const char *name)
{
	struct owner *o;

	if (l->n == OWNERS_MAX)
		free_list(l);
	o = list_push(l);
	*o = (struct owner){id, xstrdup(name)};
	return o;
}

const char *owners_user(struct owners *o, uid_t uid)
{
	struct owner *known = look(&o->users, uid);
	CLEANUP(freep) char *room = known ? NULL : xmalloc(ANSWER_MAX);
	struct passwd pw, *found = NULL;

	if (!known) {
		getpwuid_r(uid, &pw, room, ANSWER_MAX, &found);
		known = add(&o->users, uid, found ? pw.pw_name : NULL);
	}
	return known->name;
}

const char *owners_group(struct owners *o, gid_t gid)
{
	struct owner *known = look(&o->groups, gid);
	CLEANUP(freep) char *room = known ? NULL : xmalloc(ANSWER_MAX);
	struct group gr, *found = NULL;

	if (!known) {
		getgrgid_r(gid, &gr, room, ANSWER_MAX, &found);
		known = add(&o->groups, gid, found ? gr.gr_name : NULL);
	}
	return known->name;
}
