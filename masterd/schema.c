/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/schema.h"

#include <stddef.h>
#include <string.h>

#include "shared/attr.h"
#include "shared/mem.h"

/* Times are milliseconds since 1970, UTC. auth_rev counts changes of users and
 * sessions, so that a running master sees what another process did. */
static const char *const migrations[] = {
	"CREATE TABLE meta(name VARCHAR(64) PRIMARY KEY, value {int} NOT NULL);"
	"INSERT INTO meta(name,value) VALUES('auth_rev',1);"
	"CREATE TABLE account(id {id}, name VARCHAR(64) NOT NULL UNIQUE, password VARCHAR(128) NOT NULL,"
	" role VARCHAR(16) NOT NULL, disabled {int} NOT NULL DEFAULT 0, created {int} NOT NULL);"
	"CREATE TABLE session(sid VARCHAR(64) PRIMARY KEY, account_id {int} NOT NULL REFERENCES account(id) ON DELETE CASCADE,"
	" turn {int} NOT NULL, rotated {int} NOT NULL, created {int} NOT NULL, expires {int} NOT NULL,"
	" peer VARCHAR(64) NOT NULL);"
	"CREATE TABLE node(id {id}, name VARCHAR(256) NOT NULL, hostname VARCHAR(256) NOT NULL, state VARCHAR(16) NOT NULL,"
	" key_hash {blob} UNIQUE, created {int} NOT NULL, approved {int} NOT NULL DEFAULT 0,"
	" approved_by VARCHAR(64) NOT NULL DEFAULT '', blocked {int} NOT NULL DEFAULT 0,"
	" blocked_by VARCHAR(64) NOT NULL DEFAULT '', reason VARCHAR(512) NOT NULL DEFAULT '',"
	" tags VARCHAR(1024) NOT NULL DEFAULT '[]', facts TEXT NOT NULL);"
	"CREATE INDEX node_hostname ON node(hostname);"
	"CREATE TABLE join_request(request_id VARCHAR(64) PRIMARY KEY, node_id {int} NOT NULL, state VARCHAR(16) NOT NULL,"
	" hostname VARCHAR(256) NOT NULL, ip_address VARCHAR(64) NOT NULL, peer_address VARCHAR(64) NOT NULL,"
	" public_key {blob}, commitment {blob}, nonce {blob}, master_nonce {blob}, code VARCHAR(32) NOT NULL,"
	" name_in_use {int} NOT NULL, created {int} NOT NULL, sealed_key {blob}, clear_key VARCHAR(64),"
	" decided {int} NOT NULL DEFAULT 0);"
	"CREATE INDEX join_request_node ON join_request(node_id);"
	"CREATE TABLE sample_hot(node_id {int} NOT NULL, ts {int} NOT NULL, cpu {num}, disk {num}, active {int},"
	" mem_total {int}, mem_used {int}, swap_total {int}, swap_used {int}, load1 {num}, load5 {num}, load15 {num},"
	" io_read {num}, io_write {num}, net_rx {num}, net_tx {num}, press_cpu {num}, press_io {num}, press_mem {num},"
	" disks TEXT, skewed {int} NOT NULL DEFAULT 0, PRIMARY KEY(node_id, ts)) {clustered};"
	"CREATE TABLE run(uuid VARCHAR(36) PRIMARY KEY, node_id {int} NOT NULL, rev {int} NOT NULL, site VARCHAR(64) NOT NULL,"
	" state VARCHAR(16) NOT NULL, started {int} NOT NULL, finished {int} NOT NULL, doc TEXT NOT NULL, log TEXT,"
	" received {int} NOT NULL);"
	"CREATE INDEX run_started ON run(started, uuid);"
	"CREATE INDEX run_node ON run(node_id, started);"
	"CREATE TABLE node_report(node_id {int} PRIMARY KEY, ts {int} NOT NULL, doc TEXT NOT NULL);",
	/* 2: what several masters and their clients follow; who did what */
	"CREATE TABLE event(id {id}, at {int} NOT NULL, origin VARCHAR(36) NOT NULL, kind VARCHAR(16) NOT NULL,"
	" node_id {int} NOT NULL, ref VARCHAR(64) NOT NULL);"
	"CREATE INDEX event_at ON event(at);"
	"CREATE TABLE audit(id {int} PRIMARY KEY, at {int} NOT NULL, who VARCHAR(64) NOT NULL, peer VARCHAR(64) NOT NULL,"
	" action VARCHAR(64) NOT NULL, object VARCHAR(256) NOT NULL, detail TEXT NOT NULL, hash {blob} NOT NULL);"
	"CREATE TABLE lease(name VARCHAR(64) PRIMARY KEY, holder VARCHAR(36) NOT NULL, until {int} NOT NULL);"
	"ALTER TABLE account ADD COLUMN tags VARCHAR(1024) NOT NULL DEFAULT '[]';",
	/* what admins do to a node after it has joined; tokens that let machines in; wishes that nodes fetch */
	"ALTER TABLE node ADD COLUMN note VARCHAR(1024) NOT NULL DEFAULT '';"
	"ALTER TABLE node ADD COLUMN deleted {int} NOT NULL DEFAULT 0;"
	"ALTER TABLE node ADD COLUMN next_hash {blob};"
	"ALTER TABLE node ADD COLUMN next_sealed {blob};"
	"ALTER TABLE node ADD COLUMN cloned {int} NOT NULL DEFAULT 0;"
	"ALTER TABLE node ADD COLUMN clone_owner VARCHAR(64) NOT NULL DEFAULT '';"
	"ALTER TABLE node ADD COLUMN clone_owner_peer VARCHAR(64) NOT NULL DEFAULT '';"
	"ALTER TABLE node ADD COLUMN clone_other_peer VARCHAR(64) NOT NULL DEFAULT '';"
	"CREATE UNIQUE INDEX node_next_hash ON node(next_hash);"
	"ALTER TABLE join_request ADD COLUMN token_name VARCHAR(64) NOT NULL DEFAULT '';"
	"ALTER TABLE join_request ADD COLUMN pre_approved {int} NOT NULL DEFAULT 0;"
	"CREATE TABLE join_token(id {id}, name VARCHAR(64) NOT NULL, hash {blob} NOT NULL UNIQUE, created {int} NOT NULL,"
	" created_by VARCHAR(64) NOT NULL, expires {int} NOT NULL, uses {int} NOT NULL, used {int} NOT NULL DEFAULT 0,"
	" last_used {int} NOT NULL DEFAULT 0, tags VARCHAR(1024) NOT NULL DEFAULT '[]', pre_approved {int} NOT NULL);"
	"CREATE TABLE node_request(seq {id}, rid VARCHAR(36) NOT NULL UNIQUE, node_id {int} NOT NULL, verb VARCHAR(16) NOT NULL,"
	" args TEXT NOT NULL, state VARCHAR(16) NOT NULL, reason VARCHAR(512) NOT NULL DEFAULT '',"
	" run VARCHAR(36) NOT NULL DEFAULT '', created {int} NOT NULL, created_by VARCHAR(64) NOT NULL,"
	" expires {int} NOT NULL, changed {int} NOT NULL);"
	"CREATE INDEX node_request_node ON node_request(node_id, seq);"
	"CREATE INDEX node_request_open ON node_request(state, expires);",
	/* what is wrong; what timers declared to come; whom to tell */
	"CREATE TABLE alert(id {id}, kind VARCHAR(32) NOT NULL, severity VARCHAR(16) NOT NULL, node_id {int} NOT NULL,"
	" ref VARCHAR(256) NOT NULL, stamp VARCHAR(64) NOT NULL, run VARCHAR(36) NOT NULL, first_at {int} NOT NULL,"
	" last_at {int} NOT NULL, times {int} NOT NULL, cause TEXT NOT NULL, next_step TEXT NOT NULL,"
	" acked_by VARCHAR(64) NOT NULL, acked_at {int} NOT NULL, snoozed_by VARCHAR(64) NOT NULL,"
	" snoozed_until {int} NOT NULL, closed {int} NOT NULL, closed_why VARCHAR(64) NOT NULL, noticed {int} NOT NULL);"
	"CREATE UNIQUE INDEX alert_open ON alert(node_id, kind, ref) WHERE closed=0;"
	"CREATE INDEX alert_closed ON alert(closed);"
	"CREATE TABLE expected(node_id {int} NOT NULL, timer VARCHAR(64) NOT NULL, on_calendar VARCHAR(256) NOT NULL,"
	" due {int} NOT NULL, before {int} NOT NULL, period {int} NOT NULL, steady {int} NOT NULL, missed {int} NOT NULL,"
	" missed_at {int} NOT NULL, times {int} NOT NULL, PRIMARY KEY(node_id, timer));"
	"CREATE INDEX expected_missed ON expected(missed);"
	"ALTER TABLE run ADD COLUMN timer VARCHAR(64) NOT NULL DEFAULT '';"
	"CREATE INDEX run_timer ON run(node_id, timer, started);"
	"CREATE TABLE channel(id {id}, name VARCHAR(64) NOT NULL UNIQUE, kind VARCHAR(16) NOT NULL, enabled {int} NOT NULL,"
	" settings TEXT NOT NULL, sealed TEXT NOT NULL, filter TEXT NOT NULL, created {int} NOT NULL,"
	" created_by VARCHAR(64) NOT NULL, last_ok {int} NOT NULL, last_failed {int} NOT NULL, last_error TEXT NOT NULL,"
	" sent {int} NOT NULL, dropped {int} NOT NULL);"
	"CREATE TABLE delivery(id {id}, channel_id {int} NOT NULL REFERENCES channel(id) ON DELETE CASCADE,"
	" at {int} NOT NULL, batch VARCHAR(36) NOT NULL, doc TEXT NOT NULL);"
	"CREATE INDEX delivery_channel ON delivery(channel_id, id);",
	/* samples: a row of the journal is all of one transaction of one master, which counts its rows; what is packed
	 * leaves it. Blocks of columns, one a node and stretch of time (masterd/pack.h). Nobody had sample_hot yet. */
	"DROP TABLE sample_hot;"
	"CREATE TABLE sample_journal(origin VARCHAR(36) NOT NULL, id {int} NOT NULL, at {int} NOT NULL, n {int} NOT NULL,"
	" doc {blob} NOT NULL, PRIMARY KEY(origin, id)) {clustered};"
	"CREATE TABLE sample_raw(node_id {int} NOT NULL, start {int} NOT NULL, doc {blob} NOT NULL,"
	" PRIMARY KEY(node_id, start)) {by_day:start};"
	"CREATE TABLE sample_minute(node_id {int} NOT NULL, start {int} NOT NULL, doc {blob} NOT NULL,"
	" PRIMARY KEY(node_id, start)) {by_day:start};"
	"CREATE TABLE sample_hour(node_id {int} NOT NULL, start {int} NOT NULL, doc {blob} NOT NULL,"
	" PRIMARY KEY(node_id, start));",
	/* one-time codes, and tokens of programs */
	"ALTER TABLE account ADD COLUMN totp_seed VARCHAR(256) NOT NULL DEFAULT '';"
	"ALTER TABLE account ADD COLUMN totp_on {int} NOT NULL DEFAULT 0;"
	"ALTER TABLE account ADD COLUMN totp_step {int} NOT NULL DEFAULT 0;"
	"CREATE TABLE recovery_code(account_id {int} NOT NULL, hash {blob} NOT NULL, PRIMARY KEY(account_id, hash));"
	"CREATE INDEX session_account ON session(account_id);"
	"CREATE TABLE api_token(id {id}, name VARCHAR(64) NOT NULL UNIQUE, hash {blob} NOT NULL UNIQUE,"
	" account_id {int} NOT NULL, role VARCHAR(16) NOT NULL, tags VARCHAR(1024) NOT NULL, scopes VARCHAR(64) NOT NULL,"
	" created {int} NOT NULL, expires {int} NOT NULL, last_used {int} NOT NULL, last_peer VARCHAR(64) NOT NULL);",
	/* what an Idempotency-Key stood for */
	"CREATE TABLE idempotency(owner VARCHAR(96) NOT NULL, name VARCHAR(128) NOT NULL, digest {blob} NOT NULL,"
	" done {int} NOT NULL, at {int} NOT NULL, status {int} NOT NULL, answer TEXT, PRIMARY KEY(owner, name));"
	"CREATE INDEX idempotency_at ON idempotency(at);",
	/* when a run was proven restorable; 0 never */
	"ALTER TABLE run ADD COLUMN proven {int} NOT NULL DEFAULT 0;",
	/* when its archives were given up; 0 not */
	"ALTER TABLE run ADD COLUMN pruned {int} NOT NULL DEFAULT 0;",
	/* what orders runs, as far as the master can tell (tbl_run.h); by how much the node's clock was ahead; whether an
	 * archive that is kept is damaged */
	"ALTER TABLE run ADD COLUMN began {int} NOT NULL DEFAULT 0;"
	"ALTER TABLE run ADD COLUMN ended {int} NOT NULL DEFAULT 0;"
	"ALTER TABLE run ADD COLUMN ahead {int} NOT NULL DEFAULT 0;"
	"ALTER TABLE run ADD COLUMN damaged {int} NOT NULL DEFAULT 0;"
	"UPDATE run SET began=CASE WHEN started>0 AND started<received THEN started ELSE received END,"
	" ended=CASE WHEN finished<received THEN finished ELSE received END,"
	" ahead=CASE WHEN started>received+300000 THEN started-received ELSE 0 END,"
	" proven=CASE WHEN proven<received THEN proven ELSE received END,"
	" damaged=CASE WHEN state='suspect' AND pruned=0 AND doc LIKE '%\"kind\":\"damaged\"%' THEN 1 ELSE 0 END;"
	"CREATE INDEX run_began ON run(began, uuid);"
	"CREATE INDEX run_node_began ON run(node_id, began);"
	"DROP INDEX run_started;"
	"DROP INDEX run_node;",
};

const char *const *schema_migrations(int *n)
{
	*n = (int)ARRAY_LEN(migrations);
	return migrations;
}

bool schema_has_table(const char *name)
{
	CLEANUP(freep) char *made = xasprintf("CREATE TABLE %s(", name);

	for (size_t i = 0; i < ARRAY_LEN(migrations); i++)
		if (strstr(migrations[i], made))
			return true;
	return false;
}
