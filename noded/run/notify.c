/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/notify.h"

#include <config.h>

#include <stdio.h>
#include <string.h>

#include "noded/run/hooks.h"
#include "shared/buf.h"
#include "shared/http.h"
#include "shared/json.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { TIMEOUT_S = 15, COMMAND_MS = 60000, BODY_MAX = 256 << 10 };

static int call(const char *method, const char *url, const char *body, struct err *e)
{
	static const char *const headers[] = {"Content-Type: application/json", NULL};
	static const struct http_opts opts = {.user_agent = "felloe-noded/" PACKAGE_VERSION};
	CLEANUP(http_freep) struct http *h = NULL;
	struct http_reply reply = {0};
	const struct http_call c = {.method = method, .url = url, .headers = body ? headers : NULL, .body = body,
				    .body_len = body ? strlen(body) : 0, .has_body = body != NULL,
				    .timeout_s = TIMEOUT_S};
	int status;

	if (http_new(&h, &opts, e) || http_do(h, &c, &reply, e))
		return -1;
	status = reply.status;
	http_reply_done(&reply);
	if (status >= 300)
		return err_set(e, ERR_NET, "the answer was HTTP status %d", status);
	return 0;
}

/* The host of an URL: its path and query often hold a secret token. */
static void host_of(char *host, size_t size, const char *url)
{
	const char *at = strstr(url, "://");
	CLEANUP(freep) char *name = NULL;

	at = at ? at + 3 : url;
	name = xstrndup(at, strcspn(at, "/?#"));
	str_cut(host, size, strrchr(name, '@') ? strrchr(name, '@') + 1 : name);
}

static void say(void (*note)(void *ctx, const char *text), void *ctx, const char *what, const char *why)
{
	CLEANUP(freep) char *text = xasprintf("notify: %s: %s", what, why);

	if (note)
		note(ctx, text);
}

static void try_call(const char *method, const char *url, const char *body, void (*note)(void *, const char *), void *ctx)
{
	char host[256], what[300];
	struct err e;

	if (call(method, url, body, &e) == 0)
		return;
	host_of(host, sizeof(host), url);
	snprintf(what, sizeof(what), "%s %s", method, host);
	say(note, ctx, what, e.kind == ERR_NET ? e.msg : err_name(e.kind));
}

void notify_run(const struct config *c, const struct wire_run *run, void (*note)(void *ctx, const char *text), void *ctx)
{
	CLEANUP(buf_done) struct buf body = {0};
	struct json_out o;
	struct err e;

	if (run_state_good(run->state)) {
		if (*c->notify.ping_url)
			try_call("GET", c->notify.ping_url, NULL, note, ctx);
		return;
	}
	if (run->state != RUN_FAILED && run->state != RUN_ABORTED && run->state != RUN_SUSPECT)
		return;
	buf_init(&body, BODY_MAX);
	json_out_init(&o, &body);
	json_obj(&o, NULL);
	json_put_str(&o, "server_id", c->server_id);
	wire_run_put(&o, "run", run);
	json_end_obj(&o);
	if (buf_check(&body, "the run", &e)) {
		say(note, ctx, "webhook", e.msg);
		return;
	}
	if (*c->notify.webhook)
		try_call("POST", c->notify.webhook, body.p, note, ctx);
	if (c->notify.command.n) {
		const struct hook_opts h = {.site = run->site, .run = run->uuid, .state = run_state_name(run->state),
					    .timeout_ms = COMMAND_MS, .output = note, .ctx = ctx};
		CLEANUP(freep) char **argv = xcalloc(c->notify.command.n + 1, sizeof(*argv));

		for (size_t i = 0; i < c->notify.command.n; i++)
			argv[i] = c->notify.command.v[i];
		if (hook_feed(argv, body.p, &h, &e))
			say(note, ctx, "command", e.msg);
	}
}
