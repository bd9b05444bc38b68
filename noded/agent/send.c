/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "noded/agent/send.h"

#include <stdio.h>
#include <stdlib.h>

#include "noded/agent/identity.h"
#include "shared/client.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"

enum { BODY_MAX = 256 << 10, RUNS_AT_ONCE = 50, REFUSED_RETRY_MS = 3600 * 1000 };

struct sender {
	struct client *client;
	struct client_reply answer;
};

int sender_new(struct sender **ret, const struct send_opts *o, struct err *e)
{
	char instance[INSTANCE_TEXT], header[64];
	CLEANUP(sender_freep) struct sender *s = xcalloc(1, sizeof(*s));
	struct client_opts co = {.url = o->config->master.url,
				 .pin = o->config->master.pin,
				 .ca_file = o->config->master.ca_file,
				 .user_agent = "felloe-noded/" PACKAGE_VERSION};

	if (client_new(&s->client, &co, e))
		return -1;
	client_set_api_key(s->client, o->key);
	client_set_tick(s->client, o->tick, o->ctx);
	identity_instance(instance);
	snprintf(header, sizeof(header), "X-Felloe-Instance: %s", instance);
	client_set_header(s->client, header);
	*ret = TAKE(s);
	return 0;
}

void sender_free(struct sender *s)
{
	if (!s)
		return;
	client_reply_done(&s->answer);
	client_free(s->client);
	free(s);
}

void sender_freep(struct sender **s)
{
	sender_free(*s);
}

/* The master understood the request and will never take this body. */
static bool hopeless(const struct err *e)
{
	return e->kind == ERR_INVALID || e->kind == ERR_LIMIT || e->kind == ERR_USAGE || e->kind == ERR_CONFLICT;
}

const struct json *sender_answer(const struct sender *s, int64_t *date)
{
	*date = s->answer.date;
	return s->answer.json;
}

/* Samples: the answer is kept. A conflict is none of the body, but of the key. */
static int deliver_samples(struct sender *s, const char *body, bool *refused, struct err *e)
{
	int failed;

	client_reply_done(&s->answer);
	failed = client_do(s->client, &(struct client_call){.method = "POST", .path = "/stats", .body = body}, &s->answer, e);
	*refused = failed && e->kind != ERR_CONFLICT && hopeless(e);
	return failed;
}

static int deliver(struct sender *s, const char *method, const char *path, const char *body, struct err *e)
{
	struct client_reply r;
	int failed = client_do(s->client, &(struct client_call){.method = method, .path = path, .body = body}, &r, e);

	client_reply_done(&r);
	return failed;
}

int sender_put(struct sender *s, const char *path, const char *body, bool *refused, struct err *e)
{
	int failed = deliver(s, "PUT", path, body, e);

	*refused = failed && (hopeless(e) || e->kind == ERR_NOTFOUND);
	return failed ? -1 : 0;
}

int sender_live(struct sender *s, struct outbox *o, const struct wire_sample *sample, struct err *e)
{
	struct outbox_batch sent = {0};
	struct json_out out;
	bool refused = false;
	struct buf b;
	int failed;

	buf_init(&b, BODY_MAX);
	json_out_init(&out, &b);
	wire_sample_put(&out, NULL, sample);
	failed = buf_check(&b, "the sample", e) || deliver_samples(s, b.p, &refused, e);
	buf_done(&b);
	if (failed && !refused)
		return -1;
	if (failed)
		log_warn("the master refuses this sample, which is dropped: %s", e->msg);
	*list_push(&sent.ts) = sample->ts;
	failed = outbox_samples_gone(o, &sent, e);
	outbox_batch_done(&sent);
	return failed;
}

static int send_run(struct sender *s, struct outbox *o, const struct outbox_run *r, struct err *e)
{
	CLEANUP(freep) char *path = xasprintf("/runs/%s", r->uuid);

	if (deliver(s, "PUT", path, r->json, e) == 0)
		return outbox_run_gone(o, r->uuid, r->rev, e);
	if (!hopeless(e))
		return -1;
	log_warn("the master refuses run %s, which is tried again in an hour: %s", r->uuid, e->msg);
	return outbox_run_refused(o, r, clock_ms() + REFUSED_RETRY_MS, e->msg, e);
}

static int send_runs(struct sender *s, struct outbox *o, bool *more, struct err *e)
{
	for (unsigned i = 0; i < RUNS_AT_ONCE; i++) {
		struct outbox_run r;
		int failed;

		if (outbox_run(o, clock_ms(), &r, e))
			return -1;
		failed = r.uuid[0] ? send_run(s, o, &r, e) : 0;
		freep(&r.json);
		if (failed)
			return -1;
		if (!r.uuid[0])
			return 0;
	}
	*more = true;
	return 0;
}

/* A list that is refused whole has a bad sample in it: then one by one, and only
 * the bad one is dropped. */
static int send_samples(struct sender *s, struct outbox *o, size_t limit, bool *more, struct err *e)
{
	struct outbox_batch b;
	bool refused = false;
	int failed = outbox_samples(o, limit, &b, e);

	if (!failed && b.ts.n) {
		failed = deliver_samples(s, b.json.p, &refused, e);
		if (refused && b.ts.n == 1) {
			log_warn("the master refuses a sample, which is dropped: %s", e->msg);
			failed = 0;
		} else if (refused) {
			outbox_batch_done(&b);
			return send_samples(s, o, 1, more, e);
		}
		if (!failed)
			failed = outbox_samples_gone(o, &b, e);
		*more = *more || !failed;
	}
	outbox_batch_done(&b);
	return failed ? -1 : 0;
}

int sender_backfill(struct sender *s, struct outbox *o, bool *more, struct err *e)
{
	*more = false;
	return send_runs(s, o, more, e) || send_samples(s, o, OUTBOX_BATCH, more, e) ? -1 : 0;
}
