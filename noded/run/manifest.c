/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/manifest.h"

#include <config.h>

#include <string.h>

#include "shared/clock.h"
#include "shared/hash.h"
#include "shared/json.h"
#include "shared/str.h"

static void put_database(const struct manifest *m, struct json_out *o)
{
	static const char *const views[] = {"snapshot", "locked", "none"};
	const struct dump_result *r = m->tables;
	char hex[33];

	json_obj(o, "database");
	json_put_str(o, "name", m->db);
	dump_put_manifest(m->dump, o);
	json_arr(o, "tables");
	for (size_t i = 0; i < r->tables.n; i++) {
		const struct dump_table *t = &r->tables.v[i];

		json_obj(o, NULL);
		json_put_str(o, "name", t->name);
		json_put_bool(o, "data", t->data);
		json_put_str(o, "view", views[t->view]);
		json_put_int(o, "rows", (int64_t)t->rows);
		json_put_int(o, "bytes", (int64_t)t->bytes);
		json_put_int(o, "longest", (int64_t)t->longest);
		json_put_str(o, "digest", hex_encode(hex, t->digest, sizeof(t->digest)));
		json_put_str(o, "select", t->select_list);
		json_end_obj(o);
	}
	json_end_arr(o);
	json_arr(o, "triggers_of");
	for (size_t i = 0; i < r->triggers_of.n; i++) {
		const struct dump_trigger *t = &r->triggers_of.v[i];

		json_obj(o, NULL);
		json_put_str(o, "table", t->table);
		json_put_str(o, "name", t->name);
		json_put_str(o, "member", t->member);
		json_end_obj(o);
	}
	json_end_arr(o);
	json_put_int(o, "rows", (int64_t)r->rows);
	json_put_int(o, "views", r->views);
	json_put_int(o, "triggers", r->triggers);
	json_put_int(o, "routines", r->routines);
	json_put_int(o, "events", r->events);
	json_put_int(o, "sequences", r->sequences);
	json_put_int(o, "accounts", r->accounts);
	json_end_obj(o);
}

static void put_files(const struct manifest *m, struct json_out *o)
{
	json_obj(o, "files");
	json_arr(o, "roots");
	for (size_t i = 0; i < m->roots->n; i++)
		json_put_str(o, NULL, m->roots->v[i]);
	json_end_arr(o);
	json_put_int(o, "files", (int64_t)m->files->files);
	json_put_int(o, "bytes", (int64_t)m->files->bytes);
	json_put_int(o, "skipped", (int64_t)m->files->skipped);
	json_put_int(o, "changed", (int64_t)m->files->changed);
	json_put_int(o, "sockets", (int64_t)m->files->sockets);
	json_end_obj(o);
}

int manifest_json(const struct manifest *m, struct buf *b, struct err *e)
{
	struct json_out o;

	json_out_init(&o, b);
	json_obj(&o, NULL);
	json_put_str(&o, "format", "felloe-archive 1");
	json_put_str(&o, "program", "felloe-noded " PACKAGE_VERSION);
	json_put_str(&o, "run", m->run->uuid);
	json_put_str(&o, "batch", m->run->batch);
	json_put_str(&o, "server_id", m->config->server_id);
	json_put_str(&o, "site", m->run->site);
	json_put_str(&o, "what", *m->db && m->roots ? "db+files" : *m->db ? "db" : "files");
	json_put_time(&o, "started", m->run->started);
	json_put_time(&o, "finished", m->finished);
	if (*m->db)
		put_database(m, &o);
	else
		json_put_null(&o, "database");
	if (m->roots)
		put_files(m, &o);
	else
		json_put_null(&o, "files");
	json_obj(&o, "compression");
	json_put_int(&o, "level", m->config->level);
	json_put_int(&o, "lowest", m->lowest_level);
	json_end_obj(&o);
	json_put_int(&o, "volumes", 1);
	json_end_obj(&o);
	return buf_check(b, "the manifest", e);
}

static void database_text(const struct manifest *m, const char *name, struct buf *b)
{
	buf_addf(b, "The database `%s` into a new one (here: restored):\n"
		    "    mariadb -e 'CREATE DATABASE restored'\n"
		    "    tar --zstd -xOf %s --wildcards 'db/*' \\\n"
		    "        | mariadb --comments --max-allowed-packet=1G restored\n"
		    "Without --comments the client drops the comments inside of routines and triggers.\n"
		    "The mysql client takes the same options. One table (here: wp_posts):\n"
		    "    tar --zstd -xOf %s --wildcards \\\n"
		    "        'db/10-schema/2-tables/wp_posts.sql' 'db/20-data/wp_posts.*' \\\n"
		    "        | mariadb --comments --max-allowed-packet=1G restored\n"
		    "Its triggers are in db/30-post/4-triggers; which ones, manifest.json tells in \"triggers_of\".\n\n",
		 m->db, name, name);
}

static void users_text(const char *name, struct buf *b)
{
	buf_addf(b, "The users, roles and grants of the server, after its databases (as an account that may create users; hashes of\n"
		    "passwords are in it; -f goes on where a right names a table that is not there):\n"
		    "    tar --zstd -xOf %s users/accounts.sql | mariadb -f\n\n", name);
}

static void files_text(const struct manifest *m, const char *name, struct buf *b)
{
	buf_adds(b, "The files of\n");
	for (size_t i = 0; i < m->roots->n; i++)
		buf_addf(b, "    %s\n", m->roots->v[i]);
	buf_addf(b, "into the directory restored, with owners and times (as root):\n"
		    "    mkdir restored\n"
		    "    tar --zstd -xpf %s -C restored --strip-components=1 files\n\n", name);
}

int manifest_restore_text(const struct manifest *m, struct buf *b, struct err *e)
{
	const char *name = strrchr(m->key, '/') ? strrchr(m->key, '/') + 1 : m->key;
	char when[CLOCK_TEXT];

	buf_addf(b, "Backup of site %s on %s, taken %s by felloe-noded %s.\n"
		    "Object: %s\n\n"
		    "Nothing but tar, zstd and a MariaDB or MySQL client is needed.\n\n"
		    "What is in it:\n"
		    "    tar --zstd -tf %s\n\n", m->run->site, m->config->server_id,
		 clock_rfc3339(when, m->run->started), PACKAGE_VERSION, m->key, name);
	if (*m->db)
		database_text(m, name, b);
	if (m->users)
		users_text(name, b);
	if (m->roots)
		files_text(m, name, b);
	buf_addf(b, "With felloe-noded, also when its own records are lost:\n"
		    "    felloe-noded restore %s --from STORAGE --at %s\n", m->run->site, m->run->uuid);
	return buf_check(b, "RESTORE.txt", e);
}
