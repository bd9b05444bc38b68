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
		return err_set(e, ERR_NET, "the answer was HTTP status %d%s", status,
			       status < 400 ? "; redirects are not followed, give the final URL" : "");
	return 0;
}

static void say(void (*note)(void *ctx, const char *text), void *ctx, const char *what, const char *why)
{
	CLEANUP(freep) char *text = xasprintf("notify: %s: %s", what, why);

	if (note)
		note(ctx, text);
}

/* The key of the configuration names the target: its URL often holds a secret
 * token. Texts of network errors name no more than host and port of it. */
static void try_call(const char *key, const char *url, const char *body, void (*note)(void *, const char *), void *ctx)
{
	struct err e;

	if (call(body ? "POST" : "GET", url, body, &e))
		say(note, ctx, key, e.kind == ERR_NET ? e.msg : err_name(e.kind));
}

void notify_run(const struct config *c, const struct wire_run *run, void (*note)(void *ctx, const char *text), void *ctx)
{
	CLEANUP(buf_done) struct buf body = {0};
	struct json_out o;
	struct err e;

	if (run_state_good(run->state)) {
		if (*c->notify.ping_url)
			try_call("ping_url", c->notify.ping_url, NULL, note, ctx);
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
		try_call("webhook", c->notify.webhook, body.p, note, ctx);
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
