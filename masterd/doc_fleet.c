/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/doc_fleet.h"

#include "shared/attr.h"

#define RUN_WORDS "running ok warning failed aborted skipped suspect"
#define HEALTH_WORDS "failed warn offline running paused waiting ok"
#define PERCENT .min = 0, .max = 100
#define NAME .min = 1, .max = 64

/* ---- joining */

static const struct field ask_fields[] = {
	FIELD("hostname", F_TEXT, MUST, .min = 1, .max = 255),
	FIELD("name", F_TEXT, .max = 255),
	FIELD("ip_address", F_TEXT, .max = 63, .what = "what the node says; the master shows what it saw"),
	FIELD("public_key", F_BYTES, .what = "X25519, 32 bytes"),
	FIELD("commitment", F_BYTES, .what = "SHA-256(felloe-join-1, nonce, public_key); required with public_key"),
	FIELD("system_info", F_ANY),
	FIELD("agent_version", F_TEXT),
	FIELD("os", F_TEXT),
	FIELD("cores", F_NUM),
	FIELD("memory_bytes", F_NUM),
	FIELD("sites", F_ANY),
	FIELD("timers", F_ANY),
	FIELD("storages", F_ANY),
	FIELD("checks", F_ANY),
	FIELD("clock", F_TEXT),
	FIELD("asked_by", F_TEXT),
	FIELD("join_token", F_SECRET, .what = "of POST /join-tokens"),
	{0},
};
static const struct shape ask = {"JoinRequest", ask_fields};

static const struct field asked_fields[] = {
	FIELD("request_id", F_SECRET, MUST, .what = "256 random bits; who holds it may ask for the outcome"),
	FIELD("message", F_TEXT, MUST),
	FIELD("poll_after_s", F_INT, MUST),
	FIELD("master_nonce", F_BYTES, .what = "with public_key"),
	FIELD("code", F_TEXT, .what = "without public_key"),
	{0},
};
static const struct shape asked = {"JoinAnswer", asked_fields};

static const struct field reveal_fields[] = {
	FIELD("nonce", F_BYTES, MUST, .what = "32 bytes"),
	{0},
};
static const struct shape reveal = {"Reveal", reveal_fields};

static const struct field message_fields[] = {
	FIELD("message", F_TEXT, MUST),
	{0},
};
static const struct shape message = {"Message", message_fields};

static const struct field wait_query[] = {
	FIELD("wait", F_INT, .min = 0, .max = 3600, .what = "seconds to wait for a change; at most 25 are waited"),
	{0},
};

static const struct field join_status_fields[] = {
	FIELD("status", F_TEXT, MUST, .words = "pending active blocked expired"),
	FIELD("id", F_INT, .what = "number of the node"),
	FIELD("name", F_TEXT),
	FIELD("sealed_key", F_BYTES, .what = "crypto_box_seal of the API key for public_key"),
	FIELD("api_key", F_SECRET, .what = "without public_key, until it is first used"),
	FIELD("reason", F_TEXT, .what = "when blocked"),
	{0},
};
static const struct shape join_status = {"JoinStatus", join_status_fields};

static const struct field approve_fields[] = {
	FIELD("name", F_TEXT, .max = 255),
	FIELD("tags", F_TEXTS),
	FIELD("adopt", F_INT, .min = 1, .max = 4503599627370495, .what = "number of the node whose place it takes"),
	{0},
};
static const struct shape approve = {"Approval", approve_fields};

static const struct field block_fields[] = {
	FIELD("reason", F_TEXT, .max = 511),
	{0},
};
static const struct shape block = {"Block", block_fields};

static const struct field change_fields[] = {
	FIELD("name", F_TEXT, .min = 1, .max = 255),
	FIELD("tags", F_TEXTS),
	FIELD("note", F_TEXT, .max = 1024),
	{0},
};
static const struct shape change = {"NodeChange", change_fields};

/* ---- nodes */

static const struct field memory_fields[] = {
	FIELD("total", F_INT),
	FIELD("used", F_INT),
	{0},
};
static const struct shape memory = {"Memory", memory_fields};

static const struct field disk_fields[] = {
	FIELD("mount", F_TEXT, MUST),
	FIELD("total", F_INT),
	FIELD("used", F_INT),
	FIELD("percent", F_NUM, PERCENT),
	FIELD("inodes_percent", F_NUM, PERCENT),
	{0},
};
static const struct shape disk = {"Disk", disk_fields};

static const struct field flow_fields[] = {
	FIELD("read", F_NUM),
	FIELD("write", F_NUM),
	FIELD("rx", F_NUM),
	FIELD("tx", F_NUM),
	{0},
};
static const struct shape flow = {"Flow", flow_fields};

static const struct field pressure_fields[] = {
	FIELD("cpu", F_NUM),
	FIELD("io", F_NUM),
	FIELD("memory", F_NUM),
	{0},
};
static const struct shape pressure = {"Pressure", pressure_fields};

static const struct field progress_fields[] = {
	FIELD("uuid", F_UUID, MUST),
	FIELD("site", F_TEXT, MUST, NAME),
	FIELD("timer", F_TEXT),
	FIELD("what", F_TEXT),
	FIELD("phase", F_TEXT),
	FIELD("item", F_TEXT),
	FIELD("storage", F_TEXT),
	FIELD("started", F_TIME, OR_NULL),
	FIELD("bytes_done", F_INT),
	FIELD("bytes_total", F_INT),
	FIELD("bytes_stored", F_INT),
	FIELD("rate", F_NUM),
	FIELD("rate_avg", F_NUM),
	FIELD("files", F_INT),
	FIELD("rows", F_INT),
	FIELD("skipped", F_INT),
	FIELD("weight", F_INT),
	{0},
};
static const struct shape progress = {"Progress", progress_fields};

static const struct field timer_fields[] = {
	FIELD("name", F_TEXT, MUST, NAME),
	FIELD("on_calendar", F_TEXT),
	FIELD("enabled", F_BOOL),
	FIELD("active", F_BOOL),
	FIELD("running", F_BOOL),
	FIELD("persistent", F_BOOL),
	FIELD("paused", F_BOOL, .what = "it fires and does nothing until it is resumed"),
	FIELD("next", F_TIME, OR_NULL),
	FIELD("last", F_TIME, OR_NULL),
	FIELD("result", F_TEXT, OR_NULL),
	FIELD("exit_status", F_INT),
	FIELD("took_ms", F_INT),
	FIELD("spread_s", F_INT),
	{0},
};
static const struct shape timer = {"Timer", timer_fields};

static const struct field storage_fields[] = {
	FIELD("name", F_TEXT, MUST, NAME),
	FIELD("type", F_TEXT, .what = "s3 or dir"),
	FIELD("endpoint", F_TEXT, .what = "host"),
	FIELD("bucket", F_TEXT, .what = "the folder of a dir"),
	FIELD("state", F_TEXT, .what = "ok, failing, drained (weight 0) or unused"),
	FIELD("error", F_TEXT, .what = "of the last failure"),
	FIELD("weight", F_INT),
	FIELD("limit", F_INT, .what = "bytes"),
	FIELD("used", F_INT, .what = "bytes of archives of this node"),
	FIELD("free", F_INT, .what = "bytes on the disk of a dir"),
	FIELD("failures", F_INT, .what = "in a row"),
	FIELD("last_ok", F_TIME, OR_NULL),
	FIELD("last_failed", F_TIME, OR_NULL),
	FIELD("rests_until", F_TIME, OR_NULL, .what = "tried after all others until then"),
	{0},
};
static const struct shape storage = {"Storage", storage_fields};

static const struct field sample_fields[] = {
	FIELD("ts", F_TIME, OR_NULL),
	FIELD("cpu_usage", F_NUM, MUST, PERCENT),
	FIELD("disk_usage", F_NUM, MUST, PERCENT),
	FIELD("active_backups", F_INT, MUST, .min = 0, .max = 100000),
	FIELD("memory", F_OBJECT, .of = &memory),
	FIELD("swap", F_OBJECT, .of = &memory),
	FIELD("load", F_NUMS),
	FIELD("disks", F_OBJECTS, .of = &disk),
	FIELD("io", F_OBJECT, .of = &flow),
	FIELD("net", F_OBJECT, .of = &flow),
	FIELD("pressure", F_OBJECT, .of = &pressure),
	FIELD("uptime_s", F_INT),
	FIELD("cores", F_INT),
	FIELD("mysql_threads_running", F_INT),
	FIELD("outbox_depth", F_INT),
	FIELD("agent_version", F_TEXT),
	FIELD("runs", F_OBJECTS, .of = &progress),
	FIELD("timers", F_OBJECTS, .of = &timer),
	FIELD("storages", F_OBJECTS, .of = &storage),
	{0},
};
static const struct shape sample = {"Sample", sample_fields};

static const struct field recorded_fields[] = {
	FIELD("status", F_TEXT, MUST, .words = "recorded"),
	FIELD("node", F_TEXT, MUST),
	FIELD("new_key", F_BYTES, .what = "crypto_box_seal of an API key that takes the place of the one in use"),
	FIELD("requests", F_OBJECTS, MUST),
	{0},
};
static const struct shape recorded = {"Recorded", recorded_fields};

static const struct field last_run_fields[] = {
	FIELD("uuid", F_UUID, MUST),
	FIELD("site", F_TEXT, MUST),
	FIELD("state", F_TEXT, MUST, .words = RUN_WORDS),
	FIELD("started", F_TIME, MUST | OR_NULL),
	FIELD("finished", F_TIME, MUST | OR_NULL),
	FIELD("bytes_stored", F_INT),
	FIELD("error", F_TEXT),
	{0},
};
static const struct shape last_run = {"LastRun", last_run_fields};

static const struct field missing_fields[] = {
	FIELD("timer", F_TEXT, MUST),
	FIELD("due", F_TIME, MUST | OR_NULL),
	FIELD("count", F_INT, MUST),
	{0},
};
static const struct shape missing = {"MissingRun", missing_fields};

static const struct field node_fields[] = {
	FIELD("id", F_INT, MUST),
	FIELD("name", F_TEXT, MUST),
	FIELD("hostname", F_TEXT, MUST),
	FIELD("state", F_TEXT, MUST, .words = "pending active blocked"),
	FIELD("health", F_TEXT, MUST, .words = HEALTH_WORDS),
	FIELD("reasons", F_TEXTS, MUST),
	FIELD("liveness", F_TEXT, MUST | OR_NULL, .words = "online stale offline"),
	FIELD("last_seen", F_TIME, MUST | OR_NULL),
	FIELD("peer_address", F_TEXT, MUST | OR_NULL),
	FIELD("ip_address", F_TEXT, MUST | OR_NULL),
	FIELD("created", F_TIME, MUST | OR_NULL),
	FIELD("tags", F_TEXTS, MUST),
	FIELD("note", F_TEXT, .what = "of the admins"),
	FIELD("agent_version", F_TEXT),
	FIELD("approved", F_TIME, OR_NULL),
	FIELD("approved_by", F_TEXT, OR_NULL),
	FIELD("blocked", F_TIME, OR_NULL),
	FIELD("blocked_by", F_TEXT),
	FIELD("reason", F_TEXT),
	FIELD("code", F_TEXT, OR_NULL),
	FIELD("code_protected", F_BOOL),
	FIELD("name_in_use", F_BOOL),
	FIELD("join_token", F_TEXT, .what = "name of the token that it asked with"),
	FIELD("new_key_waits", F_BOOL, .what = "to be fetched and used by the node"),
	FIELD("key_fingerprint", F_TEXT),
	FIELD("sample", F_OBJECT, .of = &sample),
	FIELD("cpu_trend", F_NUMS),
	FIELD("runs", F_OBJECTS, .of = &progress),
	FIELD("timers", F_ANY, .what = "what timers the node has; before its first report what it said when it asked to join"),
	FIELD("sites", F_ANY, .what = "of a node that is not pending: objects with name, last_good, proven and damaged"),
	FIELD("last_run", F_OBJECT, OR_NULL, .of = &last_run),
	FIELD("last_good", F_TIME, OR_NULL),
	FIELD("last_good_age_s", F_INT, OR_NULL, .what = "where it is oldest; whole minutes"),
	FIELD("sites_never_good", F_INT),
	FIELD("missing_runs", F_OBJECTS, .of = &missing),
	FIELD("next_run", F_TIME, OR_NULL),
	FIELD("clock_skew", F_BOOL),
	{0},
};
static const struct shape node = {"Node", node_fields};

static const struct field nodes_query[] = {
	FIELD("state", F_TEXT, .words = "pending active blocked"),
	FIELD("health", F_TEXT, .words = HEALTH_WORDS),
	FIELD("tag", F_TEXT),
	FIELD("q", F_TEXT, .what = "part of the name, hostname or address"),
	{0},
};

static const struct field stats_query[] = {
	FIELD("from", F_TIME),
	FIELD("to", F_TIME),
	FIELD("step", F_INT, .min = 1, .max = 86400, .what = "seconds"),
	{0},
};

static const struct field point_fields[] = {
	FIELD("ts", F_TIME, MUST | OR_NULL),
	FIELD("cpu_usage", F_NUM),
	FIELD("disk_usage", F_NUM),
	FIELD("active_backups", F_NUM),
	FIELD("memory_total", F_NUM),
	FIELD("memory_used", F_NUM),
	FIELD("swap_total", F_NUM),
	FIELD("swap_used", F_NUM),
	FIELD("load1", F_NUM),
	FIELD("load5", F_NUM),
	FIELD("load15", F_NUM),
	FIELD("io_read", F_NUM, .what = "bytes a second, as all four"),
	FIELD("io_write", F_NUM),
	FIELD("net_rx", F_NUM),
	FIELD("net_tx", F_NUM),
	FIELD("pressure_cpu", F_NUM),
	FIELD("pressure_io", F_NUM),
	FIELD("pressure_memory", F_NUM),
	FIELD("cpu_max", F_NUM),
	FIELD("load1_max", F_NUM),
	FIELD("samples", F_INT, MUST),
	FIELD("disks", F_OBJECT, .what = "percent by mount"),
	{0},
};
static const struct shape point = {"Point", point_fields};

static const struct field series_fields[] = {
	FIELD("node_id", F_INT, MUST),
	FIELD("node", F_TEXT, MUST),
	FIELD("from", F_TIME, MUST | OR_NULL),
	FIELD("to", F_TIME, MUST | OR_NULL),
	FIELD("step_s", F_NUM, MUST),
	FIELD("resolution", F_TEXT, MUST, .words = "raw minute hour"),
	FIELD("items", F_OBJECTS, MUST, .of = &point),
	{0},
};
static const struct shape series = {"Series", series_fields};

static const struct field node_storage_fields[] = {
	FIELD("node_id", F_INT, MUST),
	FIELD("node", F_TEXT, MUST),
	FIELD("liveness", F_TEXT, MUST, .words = "online stale offline"),
	FIELD("reported", F_TIME, MUST | OR_NULL),
	FIELD("storage", F_OBJECT, MUST, .of = &storage),
	{0},
};
static const struct shape node_storage = {"NodeStorage", node_storage_fields};

static const struct field node_timer_fields[] = {
	FIELD("node_id", F_INT, MUST),
	FIELD("node", F_TEXT, MUST),
	FIELD("health", F_TEXT, MUST, .words = HEALTH_WORDS),
	FIELD("liveness", F_TEXT, MUST | OR_NULL, .words = "online stale offline"),
	FIELD("reported", F_TIME, MUST | OR_NULL),
	FIELD("timer", F_OBJECT, MUST, .of = &timer),
	{0},
};
static const struct shape node_timer = {"NodeTimer", node_timer_fields};

/* ---- runs */

static const struct field phase_fields[] = {
	FIELD("name", F_TEXT, MUST),
	FIELD("ms", F_INT, MUST),
	{0},
};
static const struct shape phase = {"Phase", phase_fields};

static const struct field archive_fields[] = {
	FIELD("storage", F_TEXT, MUST),
	FIELD("db", F_TEXT),
	FIELD("key", F_TEXT, MUST),
	FIELD("size", F_INT),
	FIELD("sha256", F_TEXT),
	FIELD("damage", F_TEXT, .what = "what a verification found wrong with it; empty: nothing is known"),
	FIELD("damage_at", F_TIME, OR_NULL, .what = "when it found that"),
	{0},
};
static const struct shape archive = {"Archive", archive_fields};

static const struct field run_error_fields[] = {
	FIELD("kind", F_TEXT),
	FIELD("message", F_TEXT),
	{0},
};
static const struct shape run_error = {"RunError", run_error_fields};

static const struct field run_fields[] = {
	FIELD("uuid", F_UUID, MUST),
	FIELD("rev", F_INT, MUST, .min = 0, .max = 9007199254740991, .what = "raised by the node at each change"),
	FIELD("site", F_TEXT, MUST, NAME),
	FIELD("state", F_TEXT, MUST, .words = RUN_WORDS),
	FIELD("batch", F_UUID, OR_NULL),
	FIELD("previous", F_UUID, OR_NULL, .what = "the run that the node made before it of the same site, whatever its clock said"),
	FIELD("timer", F_TEXT, OR_NULL),
	FIELD("trigger", F_TEXT, OR_NULL),
	FIELD("what", F_TEXT, OR_NULL),
	FIELD("started", F_TIME, OR_NULL),
	FIELD("finished", F_TIME, OR_NULL),
	FIELD("bytes_in", F_INT),
	FIELD("bytes_stored", F_INT),
	FIELD("files", F_INT),
	FIELD("skipped", F_INT),
	FIELD("rows", F_INT),
	FIELD("tables", F_INT),
	FIELD("snapshot", F_TEXT, OR_NULL),
	FIELD("proven", F_TIME, OR_NULL, .what = "restored whole into a server of its own, and equal to what was read"),
	FIELD("proof", F_TEXT, OR_NULL, .what = "why the last try to prove that failed"),
	FIELD("held", F_BOOL, .what = "by hand: the node never deletes it"),
	FIELD("pruned", F_TIME, OR_NULL, .what = "when it was given up: its archives are gone, or go when their storage answers"),
	FIELD("phases", F_OBJECTS, .of = &phase),
	FIELD("archives", F_OBJECTS, .of = &archive),
	FIELD("error", F_OBJECT, OR_NULL, .of = &run_error),
	FIELD("log", F_TEXT, OR_NULL, .max = 65536),
	FIELD("node_id", F_INT, .what = "only in answers"),
	FIELD("node", F_TEXT, .what = "only in answers"),
	FIELD("began", F_TIME, OR_NULL, .what = "only in answers: started as far as the master can tell; runs are ordered by it"),
	FIELD("ended", F_TIME, OR_NULL, .what = "only in answers: finished as far as the master can tell"),
	FIELD("clock_ahead_s", F_INT, .what = "only in answers: started was so far ahead of the master's clock"),
	{0},
};
static const struct shape run = {"Run", run_fields};

static const struct field run_recorded_fields[] = {
	FIELD("status", F_TEXT, MUST, .words = "recorded known"),
	{0},
};
static const struct shape run_recorded = {"RunRecorded", run_recorded_fields};

static const struct field runs_query[] = {
	FIELD("node", F_INT, .min = 1, .max = 9007199254740991),
	FIELD("site", F_TEXT),
	FIELD("state", F_TEXT, .words = RUN_WORDS),
	FIELD("since", F_TIME),
	{0},
};

static const struct field events_query[] = {
	FIELD("topics", F_TEXT, .what = "of node, sample, run, alert, join, apart by commas; all when absent"),
	FIELD("nodes", F_TEXT, .what = "numbers of at most 200 machines, apart by commas: whose samples"),
	{0},
};

static const struct route_doc docs[] = {
	{.route = "POST /stats", .body_kind = BODY_OR_LIST, .body = &sample, .answer_kind = ANSWER_OBJECT, .answer = &recorded},
	{.route = "PUT /runs/{uuid}", .body_kind = BODY_NEEDED, .body = &run, .answer_kind = ANSWER_OBJECT, .answer = &run_recorded,
	 .also = {409}},
	{.route = "POST /nodes/join-request", .body_kind = BODY_NEEDED, .body = &ask, .answer_kind = ANSWER_OBJECT,
	 .answer = &asked, .status = 202, .also = {403, 409, 429}},
	{.route = "POST /nodes/join-request/{id}/reveal", .body_kind = BODY_NEEDED, .body = &reveal, .answer_kind = ANSWER_OBJECT,
	 .answer = &message, .also = {409}},
	{.route = "GET /nodes/status/{id}", .query = wait_query, .answer_kind = ANSWER_OBJECT, .answer = &join_status},
	{.route = "POST /nodes/approve/{id}", .body_kind = BODY_OPTIONAL, .body = &approve, .answer_kind = ANSWER_OBJECT,
	 .answer = &node},
	{.route = "POST /nodes/block/{id}", .body_kind = BODY_OPTIONAL, .body = &block, .answer_kind = ANSWER_OBJECT,
	 .answer = &node},
	{.route = "POST /nodes/unblock/{id}", .answer_kind = ANSWER_OBJECT, .answer = &node},
	{.route = "GET /nodes", .query = nodes_query, .answer_kind = ANSWER_LIST_OR_PAGE, .answer = &node, .etag = true},
	{.route = "GET /nodes/{id}", .answer_kind = ANSWER_OBJECT, .answer = &node, .etag = true},
	{.route = "PATCH /nodes/{id}", .body_kind = BODY_NEEDED, .body = &change, .answer_kind = ANSWER_OBJECT, .answer = &node,
	 .also = {409}},
	{.route = "DELETE /nodes/{id}", .answer_kind = ANSWER_NONE},
	{.route = "POST /nodes/{id}/rotate-key", .answer_kind = ANSWER_OBJECT, .answer = &node, .also = {409}},
	{.route = "GET /nodes/{id}/stats", .query = stats_query, .answer_kind = ANSWER_OBJECT, .answer = &series},
	{.route = "GET /runs", .query = runs_query, .answer_kind = ANSWER_PAGE, .answer = &run, .etag = true},
	{.route = "GET /runs/{uuid}", .answer_kind = ANSWER_OBJECT, .answer = &run, .etag = true},
	{.route = "GET /events", .query = events_query, .answer_kind = ANSWER_STREAM, .also = {406, 503}},
	{.route = "GET /storages", .answer_kind = ANSWER_PAGE, .answer = &node_storage, .etag = true},
	{.route = "GET /timers", .answer_kind = ANSWER_PAGE, .answer = &node_timer, .etag = true},
};

const struct route_doc *doc_fleet(size_t *n)
{
	*n = ARRAY_LEN(docs);
	return docs;
}
