/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/agent/link.h"

#include <fcntl.h>
#include <sys/file.h>

#include "shared/clock.h"
#include "shared/fs.h"
#include "shared/json.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { FILE_MAX = 4096 };

static const char *const names[LINK_STATES] = {"unknown", "connected", "joining", "not joined", "blocked", "unknown key",
					       "clone", "trouble"};

const char *link_name(enum link_state s)
{
	return names[s];
}

enum link_state link_of(const struct err *why)
{
	switch (why->kind) {
	case ERR_FORBIDDEN:
		return LINK_BLOCKED;
	case ERR_DENIED:
		return LINK_UNKNOWN_KEY;
	case ERR_CONFLICT:
		return LINK_CLONE;
	default:
		return LINK_TROUBLE;
	}
}

static char *state_file(const char *name)
{
	CLEANUP(freep) char *dir = fs_state_dir("node");

	return xasprintf("%s/%s", dir, name);
}

void link_set(struct link *l, enum link_state state, const char *text, const char *master)
{
	CLEANUP(freep) char *path = state_file("link.json");
	CLEANUP(buf_done) struct buf b = {0};
	struct json_out o;
	struct err e;

	if (l->state == state && str_eq(l->text, text))
		return;
	if (l->state != state)
		l->since = clock_ms();
	l->state = state;
	str_cut(l->text, sizeof(l->text), text);
	str_cut(l->master, sizeof(l->master), master);
	buf_init(&b, FILE_MAX);
	json_out_init(&o, &b);
	json_obj(&o, NULL);
	json_put_str(&o, "state", names[state]);
	json_put_time(&o, "since", l->since);
	json_put_str(&o, "text", l->text);
	json_put_str(&o, "master", l->master);
	json_end_obj(&o);
	if (buf_check(&b, path, &e) || fs_write(path, b.p, b.len, 0600, &e))
		log_debug("%s", e.msg);
}

void link_read(struct link *ret)
{
	CLEANUP(freep) char *path = state_file("link.json");
	CLEANUP(json_freep) struct json *j = NULL;
	struct err ignored;

	*ret = (struct link){0};
	if (json_parse_file(&j, path, FILE_MAX, &ignored))
		return;
	for (size_t i = 0; i < LINK_STATES; i++)
		if (str_eq(names[i], json_get_str(j, "state", "")))
			ret->state = (enum link_state)i;
	ret->since = json_get_time(j, "since");
	str_cut(ret->text, sizeof(ret->text), json_get_str(j, "text", ""));
	str_cut(ret->master, sizeof(ret->master), json_get_str(j, "master", ""));
	str_clean(ret->text);
}

bool link_agent_runs(void)
{
	CLEANUP(freep) char *path = state_file("agent.lock");
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0;
}
