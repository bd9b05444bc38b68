/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/agent/dropin.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "shared/fs.h"
#include "shared/mem.h"
#include "shared/str.h"

static const char file[] = "10-felloe.conf";
static const char prefix[] = "felloe-backup@";
static const char suffix[] = ".timer.d";
static const char head[] =
	"# Written by felloe-noded apply from config.json; changes here are lost at the next apply.\n";

enum { UNIT_MAX = 256 << 10 };

/* A value in quotes: %% against specifiers, \ against the unquoting of systemd.syntax(7). */
static void quoted(struct buf *b, const char *s)
{
	buf_addc(b, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			buf_addc(b, '\\');
		if (*s == '%')
			buf_addc(b, '%');
		if ((unsigned char)*s < 0x20)
			buf_addf(b, "\\x%02x", (unsigned)(unsigned char)*s);
		else
			buf_addc(b, *s);
	}
	buf_addc(b, '"');
}

/* The [Timer] part. It begins with an empty OnCalendar=, which takes away the
 * template's (systemd.unit(5)): else both would fire. */
static void dropin_timer(struct buf *b, const struct timer *t)
{
	buf_adds(b, head);
	buf_adds(b, "[Timer]\nOnCalendar=\nOnCalendar=");
	for (const char *s = t->on_calendar; *s && *s != '\n'; s++) {
		if (*s == '%')
			buf_addc(b, '%');
		buf_addc(b, *s);
	}
	buf_addf(b, "\nRandomizedDelaySec=%llds\n", (long long)t->spread_s);
}

static bool takes_site(const struct timer *t, const char *name)
{
	for (size_t i = 0; i < t->sites.n; i++)
		if (str_eq(t->sites.v[i], "*") || str_eq(t->sites.v[i], name))
			return true;
	return false;
}

static bool has_hooks(const struct config *c, const struct timer *t)
{
	for (size_t i = 0; i < c->sites.n; i++) {
		const struct site *s = &c->sites.v[i];

		if (takes_site(t, s->name) && (s->hook_before.n || s->hook_after.n || s->hook_on_error.n))
			return true;
	}
	return c->notify.command.n != 0;
}

static void environment(struct buf *b, const char *name, const char *value)
{
	CLEANUP(freep) char *pair = xasprintf("%s=%s", name, value);

	buf_adds(b, "Environment=");
	quoted(b, pair);
	buf_addc(b, '\n');
}

/* What the agent and the backups of every timer need. */
static void common(struct buf *b, const struct config *c, const char *state)
{
	buf_adds(b, head);
	buf_adds(b, "[Service]\n");
	if (!str_empty(c->path) && !str_eq(c->path, FELLOE_SYSCONFDIR "/config.json"))
		environment(b, "FELLOE_CONFIG", c->path);
	if (!str_empty(state)) {
		environment(b, "FELLOE_STATE", state);
		buf_adds(b, "ReadWritePaths=");
		quoted(b, state);
		buf_addc(b, '\n');
	}
	for (size_t i = 0; i < c->storages.n; i++)
		if (str_eq(c->storages.v[i].type, "dir")) {
			/* "-": a disk that is not mounted must fail the run with a clear
			 * message, not the unit with a namespace error */
			CLEANUP(freep) char *path = xasprintf("-%s", c->storages.v[i].path);

			buf_adds(b, "ReadWritePaths=");
			quoted(b, path);
			buf_addc(b, '\n');
		}
}

/* The [Service] part: folders of dir storages are writable; config and state
 * paths when they are not the usual ones (NULL or ""); no sandbox when a site
 * of this timer has hooks, which may need anything (then *open is true). */
static void dropin_service(struct buf *b, const struct config *c, const struct timer *t, const char *state, bool *open)
{
	*open = has_hooks(c, t);
	common(b, c, state);
	if (*open)
		buf_adds(b,
			 "# hooks of a site or notify.command may need anything: no sandbox\n"
			 "CapabilityBoundingSet=~\nProtectSystem=no\nProtectHome=no\nPrivateTmp=no\nPrivateDevices=no\n"
			 "NoNewPrivileges=no\nRestrictAddressFamilies=\nRestrictNamespaces=no\nSystemCallFilter=\n"
			 "MemoryDenyWriteExecute=no\nReadOnlyPaths=\n"
			 "ProtectKernelModules=no\nProtectKernelLogs=no\nProtectProc=default\nRestrictSUIDSGID=no\n"
			 "LockPersonality=no\nRestrictRealtime=no\nProtectClock=no\nProtectHostname=no\n");
}

static char *dir_of(const char *dir, const char *name, const char *kind)
{
	return xasprintf("%s/%s%s.%s.d", dir, prefix, name, kind);
}

/* Written only when it differs, so that apply can tell whether a reload is due. */
static int write_one(const char *dir, const struct buf *b, bool *changed, struct err *e)
{
	CLEANUP(freep) char *path = xasprintf("%s/%s", dir, file);
	CLEANUP(buf_done) struct buf old;
	struct err ignored;

	buf_init(&old, UNIT_MAX);
	if (buf_check(b, path, e))
		return -1;
	if (fs_read(&old, path, &ignored) == 0 && str_eq(old.p, b->p))
		return 0;
	*changed = true;
	return fs_mkdirs(dir, 0755, e) || fs_write(path, b->p, b->len, 0644, e) ? -1 : 0;
}

/* check-size: the parts of one drop-in file */
int dropin_write(const char *dir, const struct config *c, const struct timer *t, const char *state, bool *changed,
		 bool *open, struct err *e)
{
	CLEANUP(freep) char *timer = dir_of(dir, t->name, "timer");
	CLEANUP(freep) char *service = dir_of(dir, t->name, "service");
	CLEANUP(buf_done) struct buf b;

	buf_init(&b, UNIT_MAX);
	*changed = false;
	dropin_timer(&b, t);
	if (write_one(timer, &b, changed, e))
		return -1;
	buf_reset(&b);
	dropin_service(&b, c, t, state, open);
	return write_one(service, &b, changed, e);
}

int dropin_write_agent(const char *dir, const struct config *c, const char *state, bool *changed, struct err *e)
{
	CLEANUP(freep) char *sub = xasprintf("%s/felloe-noded.service.d", dir);
	CLEANUP(buf_done) struct buf b;

	buf_init(&b, UNIT_MAX);
	*changed = false;
	common(&b, c, state);
	return write_one(sub, &b, changed, e);
}

int dropin_stale(const char *dir, const struct config *c, struct strings *ret, struct err *e)
{
	DIR *d = opendir(dir);
	struct dirent *ent;

	if (!d)
		return errno == ENOENT ? 0 : err_sys(e, ERR_IO, "open %s", dir);
	while ((ent = readdir(d))) {
		CLEANUP(freep) char *path = xasprintf("%s/%s/%s", dir, ent->d_name, file);
		CLEANUP(freep) char *name = NULL;
		size_t n = strlen(ent->d_name);

		if (!str_starts(ent->d_name, prefix) || !str_ends(ent->d_name, suffix) || !fs_exists(path))
			continue;
		name = xstrndup(ent->d_name + sizeof(prefix) - 1, n - (sizeof(prefix) - 1) - (sizeof(suffix) - 1));
		if (!config_timer(c, name))
			*list_push(ret) = TAKE(name);
	}
	closedir(d);
	return 0;
}

int dropin_remove(const char *dir, const char *name, struct err *e)
{
	static const char *const kinds[] = {"timer", "service"};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		CLEANUP(freep) char *sub = dir_of(dir, name, kinds[i]);
		CLEANUP(freep) char *path = xasprintf("%s/%s", sub, file);

		if (unlink(path) && errno != ENOENT)
			return err_sys(e, ERR_IO, "remove %s", path);
		rmdir(sub); /* not when an administrator keeps a file there */
	}
	return 0;
}
