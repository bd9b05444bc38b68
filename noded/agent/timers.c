/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "noded/agent/timers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/str.h"

#ifdef HAVE_SYSTEMD
#include <systemd/sd-bus.h>

static const char manager_name[] = "org.freedesktop.systemd1";
static const char manager_path[] = "/org/freedesktop/systemd1";
static const char manager_face[] = "org.freedesktop.systemd1.Manager";
static const char unit_face[] = "org.freedesktop.systemd1.Unit";
static const char timer_face[] = "org.freedesktop.systemd1.Timer";
static const char service_face[] = "org.freedesktop.systemd1.Service";
static const char prefix[] = "felloe-backup@";

enum { CALL_TIMEOUT_US = 25 * 1000000, ACTIVE_WAIT_MS = 10000 };

struct timers {
	sd_bus *bus;
};

static void message_done(sd_bus_message **m)
{
	sd_bus_message_unref(*m);
}

/* What the other side said, or errno's text, behind a context. */
static int bus_fail(struct err *e, const char *what, const sd_bus_error *be, int rc)
{
	bool denied = sd_bus_error_has_name(be, "org.freedesktop.DBus.Error.AccessDenied") ||
		      sd_bus_error_has_name(be, "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired") ||
		      rc == -EACCES;
	const char *why = be && be->message ? be->message : strerror(-rc);

	if (denied)
		return err_set(e, ERR_FORBIDDEN, "%s: %.200s; run it as root", what, why);
	return err_set(e, ERR_IO, "%s: %.300s", what, why);
}

int timers_open(struct timers **ret, struct err *e)
{
	struct timers *t;
	sd_bus *bus = NULL;
	int rc = sd_bus_open_system(&bus);

	if (rc < 0)
		return err_set(e, ERR_NOTFOUND, "timers are not available: no connection to systemd (%s)",
			       strerror(-rc));
	sd_bus_set_method_call_timeout(bus, CALL_TIMEOUT_US);
	t = xcalloc(1, sizeof(*t));
	t->bus = bus;
	*ret = t;
	return 0;
}

void timers_close(struct timers *t)
{
	if (!t)
		return;
	sd_bus_flush_close_unref(t->bus);
	free(t);
}

static char *unit_name(const char *name, const char *type)
{
	return xasprintf("%s%s.%s", prefix, name, type);
}

/* The object of a unit, loaded if it was not. */
static int unit_path(struct timers *t, const char *unit, char **ret, struct err *e)
{
	CLEANUP(sd_bus_error_free) sd_bus_error be = SD_BUS_ERROR_NULL;
	CLEANUP(message_done) sd_bus_message *m = NULL;
	const char *path = NULL;
	int rc = sd_bus_call_method(t->bus, manager_name, manager_path, manager_face, "LoadUnit", &be, &m, "s", unit);

	if (rc >= 0)
		rc = sd_bus_message_read(m, "o", &path);
	if (rc < 0)
		return bus_fail(e, unit, &be, rc);
	*ret = xstrdup(path);
	return 0;
}

/* Properties that a unit does not have stay at their default: not every
 * systemd tells each of them. */
static int64_t get_us(struct timers *t, const char *path, const char *face, const char *name)
{
	uint64_t v = 0;

	if (sd_bus_get_property_trivial(t->bus, manager_name, path, face, name, NULL, 't', &v) < 0 || v == UINT64_MAX)
		return 0;
	return (int64_t)v;
}

static bool get_bool(struct timers *t, const char *path, const char *face, const char *name)
{
	int v = 0;

	return sd_bus_get_property_trivial(t->bus, manager_name, path, face, name, NULL, 'b', &v) >= 0 && v;
}

static int64_t get_i32(struct timers *t, const char *path, const char *face, const char *name)
{
	int32_t v = -1;

	return sd_bus_get_property_trivial(t->bus, manager_name, path, face, name, NULL, 'i', &v) < 0 ? -1 : v;
}

static char *get_str(struct timers *t, const char *path, const char *face, const char *name)
{
	char *s = NULL;

	if (sd_bus_get_property_string(t->bus, manager_name, path, face, name, NULL, &s) < 0)
		return xstrdup("");
	return s;
}

/* TimersCalendar: an array of (base, expression, next). The last one counts. */
static void get_calendar(struct timers *t, const char *path, struct wire_timer *ret)
{
	CLEANUP(message_done) sd_bus_message *m = NULL;
	const char *base, *expr;
	uint64_t next;

	if (sd_bus_get_property(t->bus, manager_name, path, timer_face, "TimersCalendar", NULL, &m, "a(sst)") < 0 ||
	    sd_bus_message_enter_container(m, 'a', "(sst)") < 0)
		return;
	while (sd_bus_message_read(m, "(sst)", &base, &expr, &next) > 0)
		str_cut(ret->on_calendar, sizeof(ret->on_calendar), expr);
}

static int get_service(struct timers *t, const char *name, struct wire_timer *ret, struct err *e)
{
	CLEANUP(freep) char *unit = unit_name(name, "service");
	CLEANUP(freep) char *path = NULL, *state = NULL, *result = NULL;
	int64_t from, to;

	if (unit_path(t, unit, &path, e))
		return -1;
	state = get_str(t, path, unit_face, "ActiveState");
	ret->running = str_eq(state, "activating") || str_eq(state, "active") || str_eq(state, "deactivating");
	from = get_us(t, path, service_face, "ExecMainStartTimestamp");
	to = get_us(t, path, service_face, "ExecMainExitTimestamp");
	if (!from || ret->running)
		return 0;
	result = get_str(t, path, service_face, "Result");
	str_cut(ret->result, sizeof(ret->result), result);
	ret->exit_status = get_i32(t, path, service_face, "ExecMainStatus");
	if (to >= from)
		ret->took_ms = (to - from) / 1000;
	return 0;
}

static int get_timer(struct timers *t, const char *name, struct wire_timer *ret, struct err *e)
{
	CLEANUP(freep) char *unit = unit_name(name, "timer");
	CLEANUP(freep) char *path = NULL, *file = NULL, *state = NULL, *load = NULL;

	*ret = (struct wire_timer){.exit_status = -1, .took_ms = -1, .spread_s = -1};
	str_cut(ret->name, sizeof(ret->name), name);
	if (unit_path(t, unit, &path, e))
		return -1;
	load = get_str(t, path, unit_face, "LoadState");
	if (!str_eq(load, "loaded"))
		return 0;
	file = get_str(t, path, unit_face, "UnitFileState");
	state = get_str(t, path, unit_face, "ActiveState");
	ret->enabled = str_starts(file, "enabled");
	ret->active = str_eq(state, "active");
	if (ret->active)
		ret->next = get_us(t, path, timer_face, "NextElapseUSecRealtime") / 1000;
	ret->last = get_us(t, path, timer_face, "LastTriggerUSec") / 1000;
	ret->spread_s = get_us(t, path, timer_face, "RandomizedDelayUSec") / 1000000;
	ret->persistent = get_bool(t, path, timer_face, "Persistent");
	get_calendar(t, path, ret);
	return get_service(t, name, ret, e);
}

/* Names of the timers that systemd has in memory. */
static int loaded_names(struct timers *t, struct strings *ret, struct err *e)
{
	CLEANUP(sd_bus_error_free) sd_bus_error be = SD_BUS_ERROR_NULL;
	CLEANUP(message_done) sd_bus_message *m = NULL;
	const char *unit, *s[6], *object, *job;
	uint32_t id;
	int rc = sd_bus_call_method(t->bus, manager_name, manager_path, manager_face, "ListUnitsByPatterns", &be, &m,
				    "asas", 0, 1, "felloe-backup@*.timer");

	if (rc >= 0)
		rc = sd_bus_message_enter_container(m, 'a', "(ssssssouso)");
	while (rc >= 0 && (rc = sd_bus_message_read(m, "(ssssssouso)", &unit, &s[0], &s[1], &s[2], &s[3], &s[4],
						    &object, &id, &s[5], &job)) > 0)
		if (str_eq(s[1], "loaded") && str_starts(unit, prefix) && str_ends(unit, ".timer"))
			*list_push(ret) = xstrndup(unit + sizeof(prefix) - 1,
						   strlen(unit) - (sizeof(prefix) - 1) - strlen(".timer"));
	return rc < 0 ? bus_fail(e, "ask systemd for its timers", &be, rc) : 0;
}

static int add_timer(struct timers *t, const struct timer *wanted, const char *name, struct wire_timers *ret,
		     struct err *e)
{
	struct wire_timer one;

	if (get_timer(t, name, &one, e))
		return -1;
	if (wanted && !one.on_calendar[0])
		str_cut(one.on_calendar, sizeof(one.on_calendar), wanted->on_calendar);
	*list_push(ret) = one;
	return 0;
}

int timers_list(struct timers *t, const struct config *c, struct wire_timers *ret, struct err *e)
{
	struct wire_timers all = {0};
	struct strings names = {0};
	int failed = loaded_names(t, &names, e);

	for (size_t i = 0; !failed && i < c->timers.n; i++)
		failed = add_timer(t, &c->timers.v[i], c->timers.v[i].name, &all, e);
	for (size_t i = 0; !failed && i < names.n; i++)
		if (str_is_name(names.v[i]) && !config_timer(c, names.v[i]))
			failed = add_timer(t, NULL, names.v[i], &all, e);
	for (size_t i = 0; i < names.n; i++)
		freep(&names.v[i]);
	list_done(&names);
	if (failed) {
		list_done(&all);
		return -1;
	}
	*ret = all;
	return 0;
}

int timers_reload(struct timers *t, struct err *e)
{
	CLEANUP(sd_bus_error_free) sd_bus_error be = SD_BUS_ERROR_NULL;
	int rc = sd_bus_call_method(t->bus, manager_name, manager_path, manager_face, "Reload", &be, NULL, "");

	return rc < 0 ? bus_fail(e, "reload systemd's units", &be, rc) : 0;
}

static int with_unit(struct timers *t, const char *method, const char *unit, struct err *e)
{
	CLEANUP(sd_bus_error_free) sd_bus_error be = SD_BUS_ERROR_NULL;
	int rc = sd_bus_call_method(t->bus, manager_name, manager_path, manager_face, method, &be, NULL, "ss", unit,
				    "replace");

	if (rc < 0 && sd_bus_error_has_name(&be, "org.freedesktop.systemd1.NoSuchUnit"))
		return err_set(e, ERR_NOTFOUND, "systemd has no unit %s; are the units of Felloe installed?", unit);
	return rc < 0 ? bus_fail(e, unit, &be, rc) : 0;
}

/* A job runs beside us: poll its outcome rather than subscribe for one answer. */
static int wait_active(struct timers *t, const char *unit, struct err *e)
{
	CLEANUP(freep) char *path = NULL;
	int64_t end = clock_mono_ms() + ACTIVE_WAIT_MS;

	if (unit_path(t, unit, &path, e))
		return -1;
	for (;;) {
		CLEANUP(freep) char *state = get_str(t, path, unit_face, "ActiveState");

		if (str_eq(state, "active"))
			return 0;
		if (str_eq(state, "failed") || clock_mono_ms() > end)
			return err_set(e, ERR_IO, "%s is \"%s\", not active; see systemctl status %s", unit, state,
				       unit);
		clock_sleep_ms(20);
	}
}

static int enable(struct timers *t, const char *unit, const char *start, struct err *e)
{
	CLEANUP(sd_bus_error_free) sd_bus_error be = SD_BUS_ERROR_NULL;
	int rc = sd_bus_call_method(t->bus, manager_name, manager_path, manager_face, "EnableUnitFiles", &be, NULL,
				    "asbb", 1, unit, 0, 1);

	if (rc < 0)
		return bus_fail(e, unit, &be, rc);
	if (timers_reload(t, e) || with_unit(t, start, unit, e))
		return -1;
	return wait_active(t, unit, e);
}

int timers_enable(struct timers *t, const char *name, struct err *e)
{
	CLEANUP(freep) char *unit = unit_name(name, "timer");

	return enable(t, unit, "RestartUnit", e);
}

int timers_enable_agent(struct timers *t, bool restart, struct err *e)
{
	return enable(t, "felloe-noded.service", restart ? "RestartUnit" : "StartUnit", e);
}

int timers_start_request(struct timers *t, const char *id, struct err *e)
{
	CLEANUP(freep) char *unit = xasprintf("felloe-request@%s.service", id);

	return with_unit(t, "StartUnit", unit, e);
}

int timers_disable(struct timers *t, const char *name, struct err *e)
{
	CLEANUP(sd_bus_error_free) sd_bus_error be = SD_BUS_ERROR_NULL;
	CLEANUP(freep) char *unit = unit_name(name, "timer");
	struct err stop;
	int rc;

	if (with_unit(t, "StopUnit", unit, &stop) && stop.kind != ERR_NOTFOUND) {
		*e = stop;
		return -1;
	}
	rc = sd_bus_call_method(t->bus, manager_name, manager_path, manager_face, "DisableUnitFiles", &be, NULL, "asb",
				1, unit, 0);
	if (rc < 0)
		return bus_fail(e, unit, &be, rc);
	return timers_reload(t, e);
}

#else /* built without libsystemd: one answer to everything */

struct timers {
	int none;
};

static int absent(struct err *e)
{
	return err_set(e, ERR_NOTFOUND, "timers are not available: felloe-noded was built without libsystemd");
}

int timers_open(struct timers **ret, struct err *e)
{
	(void)ret;
	return absent(e);
}

void timers_close(struct timers *t)
{
	free(t);
}

int timers_list(struct timers *t, const struct config *c, struct wire_timers *ret, struct err *e)
{
	(void)t;
	(void)c;
	(void)ret;
	return absent(e);
}

int timers_reload(struct timers *t, struct err *e)
{
	(void)t;
	return absent(e);
}

int timers_enable(struct timers *t, const char *name, struct err *e)
{
	(void)t;
	(void)name;
	return absent(e);
}

int timers_enable_agent(struct timers *t, bool restart, struct err *e)
{
	(void)t;
	(void)restart;
	return absent(e);
}

int timers_start_request(struct timers *t, const char *id, struct err *e)
{
	(void)t;
	(void)id;
	return absent(e);
}

int timers_disable(struct timers *t, const char *name, struct err *e)
{
	(void)t;
	(void)name;
	return absent(e);
}

#endif

void timers_closep(struct timers **t)
{
	timers_close(*t);
}
