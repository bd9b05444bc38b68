/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/route.h"

#include <string.h>
#include <strings.h>

#include "masterd/api_account.h"
#include "masterd/api_alerts.h"
#include "masterd/api_audit.h"
#include "masterd/api_auth.h"
#include "masterd/api_channels.h"
#include "masterd/api_events.h"
#include "masterd/api_join.h"
#include "masterd/api_metrics.h"
#include "masterd/api_join_token.h"
#include "masterd/api_manage.h"
#include "masterd/api_requests.h"
#include "masterd/api_nodes.h"
#include "masterd/api_root.h"
#include "masterd/api_runs.h"
#include "masterd/api_stats.h"
#include "masterd/api_tokens.h"
#include "masterd/api_users.h"
#include "masterd/master.h"
#include "masterd/openapi.h"
#include "masterd/svc_follow.h"
#include "masterd/svc_node.h"
#include "masterd/svc_once.h"
#include "masterd/svc_token.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

static const char base[] = "/api/v1";

static const struct route table[] = {
	{"GET", "/health", true, ROLE_ALL, api_health, "the process answers"},
	{"GET", "/ready", true, ROLE_ALL, api_ready, "the database answers too"},
	{"GET", "/metrics", true, ROLE_VIEWER, api_metrics, "numbers for Prometheus"},
	{"GET", "/openapi.json", false, ROLE_ALL, api_openapi, "this document"},
	{"POST", "/auth/login", false, ROLE_ALL, api_login, "sign in"},
	{"POST", "/auth/refresh", false, ROLE_ALL, api_refresh, "new tokens for a refresh token"},
	{"POST", "/auth/logout", false, ROLE_VIEWER, api_logout, "end the session"},
	{"GET", "/auth/me", false, ROLE_VIEWER, api_me, "who am I"},
	{"PUT", "/auth/password", false, ROLE_VIEWER, api_password, "a new password; ends all sessions, begins one"},
	{"POST", "/auth/totp", false, ROLE_VIEWER, api_totp_seed, "a seed for one-time codes"},
	{"PUT", "/auth/totp", false, ROLE_VIEWER, api_totp_on, "switch them on"},
	{"DELETE", "/auth/totp", false, ROLE_VIEWER, api_totp_off, "switch them off"},
	{"GET", "/users", false, ROLE_SUPER_ADMIN, api_users, "people who may sign in"},
	{"POST", "/users", false, ROLE_SUPER_ADMIN, api_user_add, "a new one"},
	{"PATCH", "/users/{id}", false, ROLE_SUPER_ADMIN, api_user_change, "role, tags, disabled, password, one-time codes"},
	{"DELETE", "/users/{id}", false, ROLE_SUPER_ADMIN, api_user_drop, "with sessions and API tokens"},
	{"GET", "/api-tokens", false, ROLE_SUPER_ADMIN, api_tokens, "tokens of programs"},
	{"POST", "/api-tokens", false, ROLE_SUPER_ADMIN, api_token_add, "a new one, shown once"},
	{"PATCH", "/api-tokens/{id}", false, ROLE_SUPER_ADMIN, api_token_change, "name, role, tags, scopes, expiry"},
	{"DELETE", "/api-tokens/{id}", false, ROLE_SUPER_ADMIN, api_token_drop, "it is refused from then on"},
	{"GET", "/audit", false, ROLE_SUPER_ADMIN, api_audit, "who did what, newest first"},
	{"POST", "/stats", false, ROLE_NODE, api_stats, "a sample, or a list of them"},
	{"PUT", "/runs/{uuid}", false, ROLE_NODE, api_run_put, "the whole state of a run"},
	{"POST", "/nodes/join-request", false, ROLE_ALL, api_join_ask, "a machine asks to join"},
	{"POST", "/nodes/join-request/{id}/reveal", false, ROLE_ALL, api_join_reveal, "it reveals its nonce"},
	{"GET", "/nodes/status/{id}", false, ROLE_ALL, api_join_status, "it asks for the outcome; ?wait= seconds"},
	{"POST", "/nodes/approve/{id}", false, ROLE_NODE_ADMIN, api_approve, "let a machine in"},
	{"POST", "/nodes/block/{id}", false, ROLE_NODE_ADMIN, api_block, "keep it out"},
	{"POST", "/nodes/unblock/{id}", false, ROLE_NODE_ADMIN, api_unblock, "let it in again"},
	{"GET", "/nodes", false, ROLE_VIEWER, api_nodes, "all machines"},
	{"GET", "/nodes/{id}", false, ROLE_VIEWER, api_node, "one machine"},
	{"PATCH", "/nodes/{id}", false, ROLE_NODE_ADMIN, api_node_change, "its name, tags, note"},
	{"DELETE", "/nodes/{id}", false, ROLE_NODE_ADMIN, api_node_delete, "refuse its key; its history stays for 30 days"},
	{"POST", "/nodes/{id}/rotate-key", false, ROLE_NODE_ADMIN, api_node_rotate, "give it a new key with its next report"},
	{"POST", "/nodes/{id}/requests", false, ROLE_NODE_ADMIN, api_request_add, "ask it to do something"},
	{"GET", "/nodes/{id}/requests", false, ROLE_NODE_ADMIN, api_requests, "what it was asked, newest first"},
	{"GET", "/nodes/{id}/requests/{rid}", false, ROLE_NODE_ADMIN, api_request, "one of them"},
	{"DELETE", "/nodes/{id}/requests/{rid}", false, ROLE_NODE_ADMIN, api_request_withdraw, "take it back"},
	{"PUT", "/node/requests/{rid}", false, ROLE_NODE, api_request_tell, "what became of it"},
	{"GET", "/join-tokens", false, ROLE_SUPER_ADMIN, api_join_tokens, "tokens that let machines in"},
	{"POST", "/join-tokens", false, ROLE_SUPER_ADMIN, api_join_token_add, "a new one, shown once"},
	{"PATCH", "/join-tokens/{id}", false, ROLE_SUPER_ADMIN, api_join_token_change, "name, time, uses, tags, approval"},
	{"DELETE", "/join-tokens/{id}", false, ROLE_SUPER_ADMIN, api_join_token_drop, "it lets nobody in any more"},
	{"GET", "/nodes/{id}/stats", false, ROLE_VIEWER, api_node_stats, "its samples as a series"},
	{"GET", "/runs", false, ROLE_VIEWER, api_runs, "runs, newest first"},
	{"GET", "/runs/{uuid}", false, ROLE_VIEWER, api_run, "one run with its log"},
	{"GET", "/timers", false, ROLE_VIEWER, api_timers, "timers of all machines"},
	{"GET", "/events", false, ROLE_VIEWER, api_events, "a stream of what changes"},
	{"GET", "/storages", false, ROLE_VIEWER, api_storages, "storages of all machines"},
	{"GET", "/alerts", false, ROLE_VIEWER, api_alerts, "what is wrong"},
	{"GET", "/alerts/{id}", false, ROLE_VIEWER, api_alert, "one of them"},
	{"POST", "/alerts/{id}/ack", false, ROLE_NODE_ADMIN, api_alert_ack, "I look after it: no reminders"},
	{"DELETE", "/alerts/{id}/ack", false, ROLE_NODE_ADMIN, api_alert_unack, "not any more"},
	{"POST", "/alerts/{id}/snooze", false, ROLE_NODE_ADMIN, api_alert_snooze, "no notices until a time"},
	{"DELETE", "/alerts/{id}/snooze", false, ROLE_NODE_ADMIN, api_alert_unsnooze, "notices again"},
	{"GET", "/channels", false, ROLE_SUPER_ADMIN, api_channels, "where alerts are told"},
	{"POST", "/channels", false, ROLE_SUPER_ADMIN, api_channel_add, "a new channel"},
	{"PATCH", "/channels/{id}", false, ROLE_SUPER_ADMIN, api_channel_change, "change it"},
	{"DELETE", "/channels/{id}", false, ROLE_SUPER_ADMIN, api_channel_drop, "with what waits there"},
	{"POST", "/channels/{id}/test", false, ROLE_SUPER_ADMIN, api_channel_test, "send a test message"},
};

const struct route *route_table(size_t *n)
{
	*n = ARRAY_LEN(table);
	return table;
}

/* Does path (of len bytes) fit the pattern? The segments at {…} go into arg and arg2. */
static bool fits(struct req *r, const char *pattern, const char *path, size_t len)
{
	const char *end = path + len;
	char *arg = r->arg;

	while (*pattern && path < end) {
		if (*pattern == '{') {
			const char *slash = memchr(path, '/', (size_t)(end - path));
			size_t n = (size_t)((slash ? slash : end) - path);

			if (!n || n >= ARG_MAX_LEN)
				return false;
			memcpy(arg, path, n);
			arg[n] = '\0';
			arg = r->arg2;
			path += n;
			pattern = strchr(pattern, '}') + 1;
		} else if (*pattern++ != *path++) {
			return false;
		}
	}
	return !*pattern && path == end;
}

static const struct route *find(struct req *r, const char *method, const char *path)
{
	size_t len = strlen(path), skip = 0;
	bool api = strncmp(path, base, sizeof(base) - 1) == 0;

	if (len > 1 && path[len - 1] == '/')
		len--;
	if (api && len >= sizeof(base) - 1)
		skip = sizeof(base) - 1;
	if (str_eq(method, "HEAD"))
		method = "GET";
	r->allow[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const struct route *t = &table[i];
		size_t used = strlen(r->allow);

		if (t->root == api || !fits(r, t->path, path + skip, len - skip))
			continue;
		if (str_eq(t->method, method))
			return t;
		str_cut(r->allow + used, sizeof(r->allow) - used, used ? ", " : "");
		used = strlen(r->allow);
		str_cut(r->allow + used, sizeof(r->allow) - used, t->method);
	}
	return NULL;
}

/* An API token is made for some uses alone. */
static int check_uses(const struct who *w, const struct route *t, struct err *e)
{
	unsigned need = str_eq(t->method, "GET") ? TOKEN_READ : TOKEN_WRITE;
	char words[TOKEN_WORDS], needs[TOKEN_WORDS];

	if (!w->token_id || (w->may & need) || (t->root && (w->may & TOKEN_METRICS)))
		return 0;
	return err_set(e, ERR_FORBIDDEN, "this API token is for: %s; this needs: %s", token_words(words, w->may),
		       token_words(needs, need));
}

/* The person, or the API token, who must have at least the role of the row. */
static int check_person(struct req *r, const struct route *t, struct err *e)
{
	const char *header = req_header(r, "Authorization");
	bool use = false;

	if (!header || strncasecmp(header, "Bearer ", 7) != 0)
		return err_set(e, ERR_DENIED, "this needs an access token: sign in first");
	if (auth_bearer(r->m->auth, header + 7, r->now, &r->who, &use, e))
		return -1;
	if (use)
		token_used(r->m, r->who.token_id, r->peer, r->now);
	if (r->who.role < t->role)
		return err_set(e, ERR_FORBIDDEN, "this needs the role %s, you are %s", role_name(t->role),
			       role_name(r->who.role));
	return check_uses(&r->who, t, e);
}

/* The node with the key. */
static int check_node(struct req *r, struct err *e)
{
	const char *key = req_header(r, "X-API-KEY");
	struct live_origin from = {.seen = r->now};
	enum origin_news news;
	bool first_use = false;

	if (!key)
		return err_set(e, ERR_DENIED, "this needs the API key of a node (X-API-KEY)");
	if (live_key(r->m->live, key, &r->who.node_id, &first_use, e) &&
	    /* another master may have let it in a moment ago */
	    !(e->kind == ERR_DENIED && follow_key(r->m, key) &&
	      !live_key(r->m->live, key, &r->who.node_id, &first_use, e)))
		return -1;
	r->who.role = ROLE_NODE;
	str_cut(from.instance, sizeof(from.instance), str_or(req_header(r, "X-Felloe-Instance"), ""));
	str_cut(from.peer, sizeof(from.peer), r->peer);
	if (live_origin(r->m->live, r->who.node_id, &from, &news, e))
		return -1;
	if (news == ORIGIN_TWINS)
		node_cloned(r->m, r->who.node_id);
	else if (news == ORIGIN_OTHER && r->m->shared)
		node_seen(r->m, r->who.node_id, &from);
	if (first_use)
		node_key_used(r->m, r->who.node_id, key);
	return 0;
}

enum verdict route_run(struct req *r, const char *method, const char *path)
{
	const struct route *t = find(r, method, path);
	const char *key;
	struct err e;

	r->route = t;
	r->began_us = clock_mono_us();
	if (!t && r->allow[0])
		return reply_problem(r, 405, "%.16s is not for this path, which takes %s", method, r->allow);
	if (!t)
		return reply_problem(r, 404, "there is nothing at this path");
	if (t->role >= ROLE_VIEWER && !(t->root && req_is_local(r)) && check_person(r, t, &e))
		return reply_err(r, &e);
	if (t->role == ROLE_NODE && check_node(r, &e))
		return reply_err(r, &e);
	key = t->role >= ROLE_VIEWER && !str_eq(t->method, "GET") ? req_header(r, "Idempotency-Key") : NULL;
	if (key) {
		CLEANUP(freep) char *what = xasprintf("%s %s", method, path);

		return once_run(r, key, what, t->handler);
	}
	return t->handler(r);
}

enum verdict route_go_on(struct req *r)
{
	enum verdict v = r->then(r);

	return v == REPLY ? once_keep(r) : v;
}

/* Counted and logged by the pattern of the path, never the path: in it may stand what only its holder should know. */
void route_ended(struct req *r, int status)
{
	const struct route *t = r->route;

	metrics_request(r->m->metrics, t ? (size_t)(t - table) : METRIC_ROUTES, status,
			r->began_us ? clock_mono_us() - r->began_us : 0);
	log_debug("http: %s %s %d, %lld us, from %s%s%s%s%s", t ? t->method : "-", t ? t->path : "(unknown)", status,
		  (long long)(r->began_us ? clock_mono_us() - r->began_us : 0), r->peer, r->who.name[0] ? ", " : "",
		  r->who.name, r->request_id[0] ? ", request " : "", r->request_id);
}
