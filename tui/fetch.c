/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/fetch.h"

#include <inttypes.h>
#include <stdio.h>

#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/str.h"

static void drop_slots(struct fetch *f, size_t from)
{
	for (size_t i = from; i < f->n_slots; i++) {
		page_unref(f->slots[i].page);
		f->slots[i] = (struct fetch_slot){0};
	}
	if (from < f->n_slots)
		f->n_slots = from;
}

void fetch_give_away(struct fetch *f)
{
	drop_slots(f, 0);
}

/* The next answers are whole. */
static void forget(struct fetch *f)
{
	drop_slots(f, 0);
	f->detail = f->runs = f->alerts = (struct fetch_one){0};
	f->no_alerts = false;
}

void fetch_done(struct fetch *f)
{
	forget(f);
	client_free(f->client);
	session_done(&f->session);
	f->client = NULL;
}

/* GET path; 1 new, 0 not changed or not there, -1 failed. */
static int get(struct fetch *f, const char *path, char etag[static 128], struct client_reply *r, struct err *e)
{
	struct session_call call = {.method = "GET", .path = path, .etag = etag[0] ? etag : NULL};
	int failed = session_do(&f->session, f->client, &call, r, e);

	f->status = r->status;
	if (failed)
		return r->status == 404 ? 0 : -1;
	if (r->status == 304)
		return 0;
	str_cut(etag, 128, r->etag);
	return 1;
}

/* One page of the list. */
static int fetch_page(struct fetch *f, size_t i, const char *after, struct err *e)
{
	struct fetch_slot *slot = &f->slots[i];
	struct client_reply r = {0};
	struct page *page = NULL;
	char path[256];
	int rc;

	snprintf(path, sizeof(path), "/nodes/?after=%s&limit=%d", after, FETCH_PAGE_ROWS);
	rc = get(f, path, slot->etag, &r, e);
	if (rc == 1 && page_from(&page, json_get(r.json, "items"), e))
		rc = -1;
	if (rc == 1) {
		page_unref(slot->page);
		slot->page = page;
		str_cut(slot->next, sizeof(slot->next), json_get_str(r.json, "next", ""));
	}
	client_reply_done(&r);
	return rc;
}

/* Is one ETag that of all pages? Then it is the version of the whole list. */
static bool same_version(const struct fetch *f)
{
	for (size_t i = 1; i < f->n_slots; i++)
		if (!str_eq(f->slots[i].etag, f->slots[0].etag))
			return false;
	return f->n_slots > 0;
}

int fetch_nodes(struct fetch *f, struct nodes **ret, struct err *e)
{
	struct page *pages[FETCH_PAGES];
	char after[128] = "";
	bool changed = false;

	for (size_t i = 0; i < FETCH_PAGES; i++) {
		int rc = fetch_page(f, i, after, e);

		if (rc < 0)
			return -1;
		if (i == 0 && rc == 0 && same_version(f))
			return 0;
		if (!f->slots[i].page)
			break;
		changed |= rc == 1;
		f->n_slots = i + 1 > f->n_slots ? i + 1 : f->n_slots;
		str_cut(after, sizeof(after), f->slots[i].next);
		if (!after[0]) {
			drop_slots(f, i + 1);
			break;
		}
	}
	if (!changed)
		return 0;
	for (size_t i = 0; i < f->n_slots; i++)
		pages[i] = f->slots[i].page;
	*ret = nodes_from(pages, f->n_slots, clock_ms());
	return 1;
}

static void aim(struct fetch_one *one, uint64_t id)
{
	if (one->of != id)
		one->etag[0] = '\0';
	one->of = id;
}

int fetch_detail(struct fetch *f, uint64_t id, struct detail **ret, struct err *e)
{
	struct client_reply r = {0};
	char path[64];
	int rc;

	aim(&f->detail, id);
	if (id == 0)
		return 0;
	snprintf(path, sizeof(path), "/nodes/%" PRIu64, id);
	rc = get(f, path, f->detail.etag, &r, e);
	if (rc == 1 && detail_from(ret, r.json, clock_ms(), e))
		rc = -1;
	client_reply_done(&r);
	return rc;
}

int fetch_runs(struct fetch *f, uint64_t of, struct runs **ret, struct err *e)
{
	struct client_reply r = {0};
	char path[64];
	int rc;

	aim(&f->runs, of);
	if (of == 0)
		return 0;
	snprintf(path, sizeof(path), "/runs?node=%" PRIu64 "&limit=100", of);
	rc = get(f, path, f->runs.etag, &r, e);
	if (rc == 1 && runs_from(ret, json_get(r.json, "items"), clock_ms(), e))
		rc = -1;
	else if (rc == 1)
		(*ret)->of = of;
	client_reply_done(&r);
	return rc;
}

int fetch_alerts(struct fetch *f, struct alerts **ret, struct err *e)
{
	struct client_reply r = {0};
	char path[64];
	int rc;

	if (f->no_alerts)
		return 0;
	snprintf(path, sizeof(path), "/alerts?limit=%d", FETCH_PAGE_ROWS);
	rc = get(f, path, f->alerts.etag, &r, e);
	f->no_alerts = rc == 0 && r.status == 404;
	if (rc == 1 && alerts_from(ret, json_get(r.json, "items"), clock_ms(), e))
		rc = -1;
	client_reply_done(&r);
	return rc;
}
