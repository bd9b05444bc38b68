/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/pause.h"

#include "shared/clock.h"
#include "shared/fs.h"
#include "shared/json.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { FILE_MAX = 256 * 1024 };

static char *file_path(void)
{
	CLEANUP(freep) char *dir = fs_state_dir("node");

	return xasprintf("%s/paused.json", dir);
}

void pause_list(struct paused_list *ret)
{
	CLEANUP(freep) char *path = file_path();
	CLEANUP(json_freep) struct json *j = NULL;
	struct err ignored;

	*ret = (struct paused_list){0};
	if (json_parse_file(&j, path, FILE_MAX, &ignored))
		return;
	for (const struct json *c = json_first(json_get(j, "timers")); c; c = json_next(c)) {
		struct paused *p = list_push(ret);

		str_cut(p->timer, sizeof(p->timer), json_get_str(c, "timer", ""));
		str_cut(p->by, sizeof(p->by), json_get_str(c, "by", ""));
		p->since = json_get_time(c, "since");
	}
}

static struct paused *find(const struct paused_list *l, const char *timer)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_eq(l->v[i].timer, timer))
			return &l->v[i];
	return NULL;
}

bool pause_of(const char *timer, struct paused *ret)
{
	struct paused_list l;
	const struct paused *p;

	pause_list(&l);
	p = find(&l, timer);
	if (p)
		*ret = *p;
	list_done(&l);
	return p != NULL;
}

static int save(const struct paused_list *l, struct err *e)
{
	CLEANUP(freep) char *dir = fs_state_dir("node");
	CLEANUP(freep) char *path = file_path();
	CLEANUP(buf_done) struct buf b = {0};
	struct json_out o;

	buf_init(&b, FILE_MAX);
	json_out_init(&o, &b);
	o.pretty = true;
	json_obj(&o, NULL);
	json_arr(&o, "timers");
	for (size_t i = 0; i < l->n; i++) {
		json_obj(&o, NULL);
		json_put_str(&o, "timer", l->v[i].timer);
		json_put_str(&o, "by", l->v[i].by);
		json_put_time(&o, "since", l->v[i].since);
		json_end_obj(&o);
	}
	json_end_arr(&o);
	json_end_obj(&o);
	return fs_mkdirs(dir, 0700, e) || buf_check(&b, path, e) || fs_write(path, b.p, b.len, 0600, e) ? -1 : 0;
}

static void add(struct paused_list *l, const char *timer, const char *by)
{
	struct paused *p;

	if (find(l, timer))
		return;
	p = list_push(l);
	str_cut(p->timer, sizeof(p->timer), timer);
	str_cut(p->by, sizeof(p->by), by);
	p->since = clock_ms();
}

int pause_set(const struct config *c, const char *timer, const char *by, struct err *e)
{
	struct paused_list l;
	int rc;

	if (timer && !config_timer(c, timer))
		return err_set(e, ERR_NOTFOUND, "there is no timer \"%s\" in %s%s", timer, c->path, config_timer_hint(c, timer).text);
	if (!timer && !c->timers.n)
		return err_set(e, ERR_NOTFOUND, "there are no timers in %s", c->path);
	pause_list(&l);
	for (size_t i = 0; i < c->timers.n; i++)
		if (!timer || str_eq(timer, c->timers.v[i].name))
			add(&l, c->timers.v[i].name, by);
	rc = save(&l, e);
	list_done(&l);
	return rc;
}

int pause_clear(const char *timer, struct err *e)
{
	struct paused_list l, kept = {0};
	int rc = 0;

	pause_list(&l);
	for (size_t i = 0; timer && i < l.n; i++)
		if (!str_eq(l.v[i].timer, timer))
			*list_push(&kept) = l.v[i];
	if (timer && kept.n == l.n)
		rc = err_set(e, ERR_NOTFOUND, "the timer \"%s\" is not paused", timer);
	else
		rc = save(&kept, e);
	list_done(&l);
	list_done(&kept);
	return rc;
}
