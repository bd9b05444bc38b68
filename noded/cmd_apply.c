/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "noded/agent/calendar.h"
#include "noded/agent/dropin.h"
#include "noded/agent/install.h"
#include "noded/agent/timers.h"
#include "noded/cmd.h"
#include "shared/clock.h"
#include "shared/fs.h"
#include "shared/json.h"
#include "shared/mem.h"
#include "shared/str.h"

/* felloe-noded apply FILE|-: make a configuration the one of this node, and its
 * timers those of systemd. Each step is told with the time it took. */

enum { CONFIG_MAX = 4 << 20 };
static const char usual_units[] = "/etc/systemd/system";

struct apply {
	const char *path, *state, *units; /* config.json; --state or NULL; where drop-ins go */
	bool dry, json, systemd;
	bool warned, agent_changed;
	int64_t since;      /* when the step at work began, monotonic ms */
	struct buf text;
	struct config *config;
};

static void wiped(struct buf *b)
{
	if (b->p && b->cap)
		mem_wipe(b->p, b->len);
	buf_done(b);
}

/* ---- telling */

static void tell(struct apply *a, const char *step, bool warning, const char *error)
{
	int64_t now = clock_mono_ms(), ms = now - a->since;

	a->since = now;
	a->warned = a->warned || warning;
	if (a->json) {
		CLEANUP(buf_done) struct buf b;
		struct json_out o;

		buf_init(&b, 16 << 10);
		json_out_init(&o, &b);
		json_obj(&o, NULL);
		json_put_str(&o, "step", step);
		json_put_bool(&o, "ok", !error);
		json_put_int(&o, "ms", ms);
		if (warning)
			json_put_bool(&o, "warning", true);
		if (error)
			json_put_str(&o, "error", error);
		json_end_obj(&o);
		puts(b.p);
	} else {
		printf("%-7s %6lld ms  %s%s%s\n",
		       error     ? "FAILED"
		       : warning ? "warning"
				 : "ok",
		       (long long)ms, step, error ? ": " : "", str_or(error, ""));
	}
	fflush(stdout);
}

static void done(struct apply *a, bool warning, const char *fmt, ...) PRINTF(3, 4);
static void done(struct apply *a, bool warning, const char *fmt, ...)
{
	char step[ERR_MSG_MAX + 128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(step, sizeof(step), fmt, ap);
	va_end(ap);
	tell(a, step, warning, NULL);
}

static int not_done(struct apply *a, const char *step, const struct err *e)
{
	tell(a, step, false, e->msg);
	return err_exit_code(e->kind);
}

/* ---- steps */

static int read_text(struct apply *a, const char *from, struct err *e)
{
	size_t got;

	if (!str_eq(from, "-"))
		return fs_read(&a->text, from, e);
	do {
		char *to = buf_room(&a->text, 65536);

		if (!to)
			return err_set(e, ERR_LIMIT, "the configuration on stdin is larger than %d MiB",
				       CONFIG_MAX >> 20);
		if (fs_read_full(STDIN_FILENO, to, 65536, &got, e))
			return -1;
		buf_grew(&a->text, got);
	} while (got == 65536);
	return 0;
}

/* Everything wrong is told, each with its path; a key that is not known too. */
static int validate(struct apply *a, const char *from, struct err *e)
{
	struct problems wrong = {0}, unknown = {0};
	/* messages name what was given; the timers will read the place it goes to */
	int rc = config_parse(&a->config, a->text.p, a->text.len, str_eq(from, "-") ? "standard input" : from, &wrong,
			      &unknown, e);

	if (!rc) {
		freep(&a->config->path);
		a->config->path = xstrdup(a->path);
	}
	for (size_t i = 0; i < wrong.n + unknown.n; i++) {
		const struct problem *p = i < wrong.n ? &wrong.v[i] : &unknown.v[i - wrong.n];

		tell(a, p->path[0] ? p->path : from, false, p->msg);
	}
	if (!rc && unknown.n)
		rc = err_set(e, ERR_CONFIG, "%zu keys are not known; take them out or mend their names", unknown.n);
	problems_done(&wrong);
	problems_done(&unknown);
	return rc;
}

/* systemd reads the expressions before anything is written. */
static int check_calendars(struct apply *a, struct err *e)
{
	for (size_t i = 0; i < a->config->timers.n; i++) {
		const struct timer *t = &a->config->timers.v[i];
		CLEANUP(calendar_done) struct calendar c = {0};
		char next[64] = "never";

		if (calendar_ask(&c, t->on_calendar, 1, e)) {
			if (e->kind != ERR_NOTFOUND)
				return err_wrap(e, "timers[%zu].on_calendar", i);
			done(a, true, "timer %s: its calendar is not checked (%s)", t->name, e->msg);
			continue;
		}
		if (c.next.n)
			clock_format_local(next, sizeof(next), "%a %Y-%m-%d %H:%M", c.next.v[0]);
		done(a, false, "timer %s: next run %s", t->name, next);
		if (c.warning[0])
			done(a, true, "timer %s: %s", t->name, c.warning);
	}
	return 0;
}

static int write_config(struct apply *a, struct err *e)
{
	CLEANUP(freep) char *kept = NULL;
	bool new = !fs_exists(a->path);

	if (install_config(a->path, a->text.p, a->text.len, &kept, e))
		return -1;
	if (kept)
		done(a, false, "configuration written to %s, the old one kept as %s", a->path, kept);
	else
		done(a, false, new ? "configuration written to %s" : "configuration at %s is the same already",
		     a->path);
	return 0;
}

static int write_dropins(struct apply *a, struct err *e)
{
	if (!str_empty(a->config->master.url)) {
		if (dropin_write_agent(a->units, a->config, a->state, &a->agent_changed, e))
			return -1;
		done(a, false, "the agent: units %s", a->agent_changed ? "written" : "as they were");
	}
	for (size_t i = 0; i < a->config->timers.n; i++) {
		const struct timer *t = &a->config->timers.v[i];
		bool changed, open;

		if (dropin_write(a->units, a->config, t, a->state, &changed, &open, e))
			return -1;
		done(a, false, "timer %s: units %s", t->name, changed ? "written" : "as they were");
		if (open)
			done(a, true, "timer %s: its service runs without a sandbox, since hooks are set", t->name);
	}
	return 0;
}

static int stop_stale(struct apply *a, struct timers *bus, struct err *e)
{
	struct strings stale = {0};
	int rc = dropin_stale(a->units, a->config, &stale, e);

	for (size_t i = 0; !rc && i < stale.n; i++) {
		rc = (bus && timers_disable(bus, stale.v[i], e)) || dropin_remove(a->units, stale.v[i], e);
		if (!rc)
			done(a, false, "timer %s: taken away, since it is not in the configuration any more",
			     stale.v[i]);
	}
	strings_done(&stale);
	return rc ? -1 : 0;
}

static int enable_all(struct apply *a, struct timers *bus, struct err *e)
{
	if (timers_reload(bus, e))
		return -1;
	done(a, false, "systemd has read its units again");
	for (size_t i = 0; i < a->config->timers.n; i++) {
		if (timers_enable(bus, a->config->timers.v[i].name, e))
			return -1;
		done(a, false, "timer %s: enabled", a->config->timers.v[i].name);
	}
	if (str_empty(a->config->master.url))
		return 0;
	if (timers_enable_agent(bus, a->agent_changed, e))
		done(a, true, "the agent is not enabled: %s", e->msg);
	else
		done(a, false, "the agent is enabled and runs");
	return 0;
}

static int tell_systemd(struct apply *a, struct err *e)
{
	CLEANUP(timers_closep) struct timers *bus = NULL;

	if (!a->systemd) {
		done(a, false, "systemd is not told, since the units lie in %s", a->units);
		return stop_stale(a, NULL, e);
	}
	if (timers_open(&bus, e)) {
		done(a, true, "%s; the drop-ins are written, systemd is to be told by systemctl", e->msg);
		return stop_stale(a, NULL, e);
	}
	return stop_stale(a, bus, e) || enable_all(a, bus, e) ? -1 : 0;
}

static int apply(struct apply *a, const char *from)
{
	struct err e;

	a->since = clock_mono_ms();
	if (read_text(a, from, &e))
		return not_done(a, "read the configuration", &e);
	if (validate(a, from, &e))
		return not_done(a, "check the configuration", &e);
	done(a, false, "configuration checked: %zu sites, %zu storages, %zu timers", a->config->sites.n,
	     a->config->storages.n, a->config->timers.n);
	if (check_calendars(a, &e))
		return not_done(a, "check the timers", &e);
	if (a->dry) {
		done(a, false, "nothing was changed (--dry-run)");
		return a->warned ? 3 : 0;
	}
	if (write_config(a, &e))
		return not_done(a, "write the configuration", &e);
	if (write_dropins(a, &e))
		return not_done(a, "write the units of the timers", &e);
	if (tell_systemd(a, &e))
		return not_done(a, "tell systemd", &e);
	return a->warned ? 3 : 0;
}

int cmd_apply(int argc, char **argv)
{
	struct apply a = {.units = usual_units};
	struct cmd c = {0};
	const struct opt opts[] = {
		{.name = "dry-run", .type = OPT_FLAG, .to = &a.dry, .help = "Check everything and change nothing."},
		{.name = "json", .type = OPT_FLAG, .to = &a.json, .help = "Print one JSON object a step."},
		{.name = "unit-dir", .type = OPT_STR, .to = &a.units, .arg = "DIR",
		 .help = "Write drop-ins under DIR and tell systemd nothing."},
		CMD_OPTS(c),
		{0},
	};
	int n, rc = cmd_start(&c, opts, argc, argv, &n);

	if (rc >= 0)
		return rc;
	if (n != 1)
		return cmd_misused(argv, "give one file, or - for stdin");
	a.path = c.config_path;
	a.state = c.state;
	a.systemd = str_eq(a.units, usual_units);
	buf_init(&a.text, CONFIG_MAX);
	rc = apply(&a, argv[1]);
	wiped(&a.text);
	config_free(a.config);
	return rc;
}
