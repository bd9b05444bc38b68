/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "noded/agent/identity.h"
#include "noded/agent/install.h"
#include "noded/agent/join.h"
#include "noded/agent/send.h"
#include "noded/agent/sysstat.h"
#include "noded/cmd.h"
#include "shared/client.h"
#include "shared/clock.h"
#include "shared/daemon.h"
#include "shared/fs.h"
#include "shared/json.h"
#include "shared/mem.h"
#include "shared/str.h"

/* felloe-noded join: ask a master to take this node, and wait for the answer. */

struct joining {
	const char *master, *name, *pin, *token_file;
	char *token;         /* NULL none */
	bool wait, waits_for, json;
	uint64_t wait_s;
	int64_t deadline;    /* monotonic ms; INT64_MAX: none */
	unsigned fails;
};

static bool stopping(void *ctx)
{
	const struct joining *j = ctx;

	return daemon_stopping() || clock_mono_ms() >= j->deadline;
}

/* One line a fact: {"event": "...", ...} or a sentence. */
static void tell(const struct joining *j, const char *event, const char *code, const char *message)
{
	if (j->json) {
		CLEANUP(buf_done) struct buf b;
		struct json_out o;

		buf_init(&b, 8192);
		json_out_init(&o, &b);
		json_obj(&o, NULL);
		json_put_str(&o, "event", event);
		if (code)
			json_put_str(&o, "code", code);
		if (message)
			json_put_str(&o, "message", message);
		json_end_obj(&o);
		puts(b.p);
	} else if (message) {
		puts(message);
	}
	fflush(stdout);
}

/* The key that is there may still be good: join can be run again. */
static int key_works(const struct joining *j, const struct config *c, bool *ret, struct err *e)
{
	CLEANUP(freep) char *path = identity_key_file(c);
	CLEANUP(outbox_closep) struct outbox *box = NULL;
	CLEANUP(sysstat_freep) struct sysstat *stat = sysstat_new();
	CLEANUP(sender_freep) struct sender *s = NULL;
	struct joining copy = *j;
	struct send_opts o = {.config = c, .tick = stopping, .ctx = &copy};
	struct wire_sample sample;
	char *key = NULL;
	int rc;

	*ret = false;
	if (!fs_exists(path))
		return 0;
	if (fs_read_secret(&key, path, e))
		return -1;
	o.key = key;
	rc = outbox_open(&box, e) || sender_new(&s, &o, e);
	mem_wipe(key, strlen(key));
	freep(&key);
	if (rc)
		return -1;
	sysstat_sample(stat, &sample);
	sample.active_backups = 0;
	rc = sender_live(s, box, &sample, e);
	wire_sample_done(&sample);
	*ret = rc == 0;
	/* deleted there, or copied from another machine: ask for a key of its own */
	return rc && e->kind != ERR_DENIED && e->kind != ERR_CONFLICT ? -1 : 0;
}

/* After an answer that a later one may better: true to ask again. */
static bool again(struct joining *j, const struct err *e)
{
	int64_t pause = 1000LL << (j->fails < 4 ? j->fails : 4), end;
	uint64_t r;

	if (!j->wait || stopping(j) || (e->kind != ERR_NET && e->kind != ERR_BUSY && e->kind != ERR_DB))
		return false;
	j->fails++;
	tell(j, "retry", NULL, e->msg);
	random_bytes(&r, sizeof(r));
	end = clock_mono_ms() + 200 + (int64_t)(r % (uint64_t)pause);
	while (clock_mono_ms() < end && !stopping(j))
		clock_sleep_ms(50);
	return !stopping(j);
}

static int ended(const struct joining *j, const struct err *e)
{
	const char *event = e->kind == ERR_FORBIDDEN ? "blocked" : "failed";

	if (!daemon_stopping() && clock_mono_ms() >= j->deadline) {
		struct err late;

		err_fill(&late, ERR_ABORTED, 0,
			 "nobody approved this node within %llu s; the request stays, and felloe-noded agent "
			 "or join --wait goes on with it",
			 (unsigned long long)j->wait_s);
		if (j->json)
			tell(j, "timeout", NULL, late.msg);
		return cmd_fail(&late);
	}
	if (j->json)
		tell(j, event, NULL, e->msg);
	return cmd_fail(e);
}

static int decide(const struct joining *j, const struct config *c, enum join_state state, const char *why)
{
	CLEANUP(freep) char *path = identity_key_file(c);
	CLEANUP(freep) char *saved = xasprintf("Approved. The key of this node is saved in %s.", path);
	struct err e;

	if (state == JOIN_ACTIVE) {
		tell(j, "active", NULL, saved);
		return 0;
	}
	err_fill(&e, state == JOIN_BLOCKED ? ERR_FORBIDDEN : ERR_CONFLICT, 0, "%s", why);
	if (j->json)
		tell(j, state == JOIN_BLOCKED ? "blocked" : "expired", NULL, why);
	return cmd_fail(&e);
}

static int open_request(struct joining *j, const struct config *c, struct join **ret, struct err *e)
{
	struct join_opts o = {.config = c, .name = j->name, .token = j->token, .tick = stopping, .ctx = j};

	while (join_open(ret, &o, e))
		if (!again(j, e))
			return -1;
	j->fails = 0;
	return 0;
}

static int join(struct joining *j, const struct config *c)
{
	CLEANUP(join_freep) struct join *request = NULL;
	CLEANUP(freep) char *text = NULL;
	char why[WIRE_TEXT];
	enum join_state state = JOIN_PENDING;
	struct err e;
	bool joined;

	while (key_works(j, c, &joined, &e))
		if (!again(j, &e))
			return ended(j, &e);
	if (joined) {
		tell(j, "active", NULL, "This node has joined already: the master takes its key.");
		return 0;
	}
	if (open_request(j, c, &request, &e))
		return ended(j, &e);
	text = xasprintf(
		"Pairing code: %s\nCompare it with the one under Approvals on %s, then approve this node there.",
		join_code(request), c->master.url);
	tell(j, "code", join_code(request), text);
	if (!j->wait) {
		tell(j, "pending", NULL, "felloe-noded agent waits for the approval, or felloe-noded join --wait.");
		return 0;
	}
	while (state == JOIN_PENDING) {
		if (stopping(j)) {
			err_fill(&e, ERR_ABORTED, 0, "ended before the approval; the request stays");
			return ended(j, &e);
		}
		if (join_ask(request, 25, &state, why, &e) == 0) {
			j->fails = 0;
			if (state == JOIN_PENDING)
				clock_sleep_ms(100);
		} else if (!again(j, &e)) {
			return ended(j, &e);
		}
	}
	return decide(j, c, state, why);
}

/* An address that cannot be one must not get into the configuration. */
static int note_master(const struct joining *j, const char *path, struct err *e)
{
	CLEANUP(client_freep) struct client *probe = NULL;

	if (!j->master)
		return 0;
	if (client_new(&probe, &(struct client_opts){.url = j->master, .pin = j->pin}, e)) {
		e->kind = ERR_USAGE;
		return err_wrap(e, "--master");
	}
	return install_master(path, j->master, j->pin, e);
}

/* The token comes from a file, stdin or the environment, never from argv, which everybody on the machine can read. */
static int read_token(struct joining *j, struct err *e)
{
	static const char variable[] = "FELLOE_JOIN_TOKEN";
	CLEANUP(freep) char *text = NULL;
	size_t got = 0;

	if (!j->token_file) {
		j->token = str_empty(getenv(variable)) ? NULL : xstrdup(getenv(variable));
		unsetenv(variable);
	} else if (!str_eq(j->token_file, "-")) {
		if (fs_read_secret(&j->token, j->token_file, e))
			return err_wrap(e, "--token-file");
	} else {
		j->token = xcalloc(1, 4096);
		if (fs_read_full(STDIN_FILENO, j->token, 4095, &got, e))
			return err_wrap(e, "--token-file -");
		j->token[strcspn(j->token, "\r\n")] = '\0';
	}
	if (j->token_file && (!j->token || !*j->token))
		return err_set(e, ERR_USAGE, "--token-file %s: there is no token in it", j->token_file);
	if (j->token && strlen(j->token) >= JOIN_TOKEN_MAX)
		return err_set(e, ERR_USAGE, "that is no join token: it is longer than %d characters", JOIN_TOKEN_MAX - 1);
	return 0;
}

static void joining_done(struct joining *j)
{
	if (j->token)
		mem_wipe(j->token, strlen(j->token));
	free(j->token);
}

int cmd_join(int argc, char **argv)
{
	CLEANUP(joining_done) struct joining j = {.deadline = INT64_MAX};
	CLEANUP(cmd_done) struct cmd c = {0};
	const struct opt opts[] = {
		{.name = "master",
		 .type = OPT_STR,
		 .to = &j.master,
		 .arg = "URL",
		 .help = "The master, such as https://master.example.net:8443 (default: the one of the configuration); "
			 "it is "
			 "written into the configuration."},
		{.name = "name",
		 .type = OPT_STR,
		 .to = &j.name,
		 .arg = "NAME",
		 .help = "The name to ask for (default: server_id)."},
		{.name = "pin",
		 .type = OPT_STR,
		 .to = &j.pin,
		 .arg = "PIN",
		 .help = "sha256//BASE64 of the master's public key."},
		{.name = "token-file",
		 .type = OPT_STR,
		 .to = &j.token_file,
		 .arg = "FILE",
		 .help = "Show the master the join token in FILE (\"-\": stdin; without it $FELLOE_JOIN_TOKEN)."},
		{.name = "wait",
		 .type = OPT_WAIT,
		 .to = &j.wait_s,
		 .arg = "SECONDS",
		 .help = "Wait for the approval (for SECONDS).",
		 .given = &j.wait,
		 .min = 1,
		 .max = 7 * 86400},
		{.name = "json", .type = OPT_FLAG, .to = &j.json, .help = "Print one JSON object a line."},
		CMD_OPTS(c),
		{0},
	};
	int n, rc = cmd_start(&c, opts, argc, argv, &n);
	struct err e;

	if (rc >= 0)
		return rc;
	if (cmd_too_many(n, argv))
		return err_exit_code(ERR_USAGE);
	daemon_signals();
	if (j.wait && j.wait_s)
		j.deadline = clock_mono_ms() + (int64_t)j.wait_s * 1000;
	if (read_token(&j, &e) || note_master(&j, c.config_path, &e) || cmd_config(&c, &e))
		return cmd_fail(&e);
	if (str_empty(c.config->master.url))
		return cmd_misused(argv, "which master? Give --master https://HOST:PORT");
	return join(&j, c.config);
}
