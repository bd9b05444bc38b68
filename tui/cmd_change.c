/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "tui/cmd_show.h"

/* Changing a node at the master: felloe rename, tags, note, delete, rotate-key; and
 * asking it to do something: felloe request. */

static int node_path(char path[static 64], const char *word, const char *rest, struct err *e)
{
	uint64_t id;

	if (cmd_number(&id, word, "a node", "felloe nodes", e))
		return -1;
	snprintf(path, 64, "/nodes/%" PRIu64 "%s", id, rest);
	return 0;
}

/* PATCH with one member; words: it is an array. */
static int patch(struct cmd *c, char **argv, const char *key, bool words, struct err *e)
{
	CLEANUP(json_freep) struct json *j = NULL;
	struct cmd_body b;
	char path[64];

	if (node_path(path, argv[1], "", e))
		return -1;
	cmd_body_begin(&b);
	if (words)
		cmd_body_words(&b, key, argv[2]);
	else
		json_put_str(&b.o, key, argv[2]);
	if (cmd_send(c, "PATCH", path, &b, &j, e))
		return -1;
	if (c->json)
		cmd_print_json(j);
	else
		printf("Node %s (%s) is changed.\n", argv[1], json_get_str(j, "name", "?"));
	return 0;
}

static int run(int argc, char **argv, const struct cmd_spec *spec,
	       int (*fn)(struct cmd *c, char **argv, const void *opts, struct err *e), const void *opts)
{
	struct err e = {0};
	struct cmd c;
	int rc = cmd_begin(&c, spec, argc, argv, &e);

	if (rc == 0)
		rc = cmd_connect(&c, &e) || fn(&c, argv, opts, &e) ? -1 : 0;
	rc = rc < 0 ? cmd_fail(&c, &e) : 0;
	cmd_end(&c);
	return rc;
}

static int rename_node(struct cmd *c, char **argv, const void *opts, struct err *e)
{
	(void)opts;
	return patch(c, argv, "name", false, e);
}

int cmd_rename(int argc, char **argv)
{
	static const struct cmd_spec spec = {"ID NAME", "Give a node another name here.", NULL, 2, 2};

	return run(argc, argv, &spec, rename_node, NULL);
}

static int tag_node(struct cmd *c, char **argv, const void *opts, struct err *e)
{
	(void)opts;
	return patch(c, argv, "tags", true, e);
}

int cmd_tags(int argc, char **argv)
{
	static const struct cmd_spec spec = {"ID A,B", "Give a node these tags instead of those it has; \"\" takes all away.",
					     NULL, 2, 2};

	return run(argc, argv, &spec, tag_node, NULL);
}

static int note_node(struct cmd *c, char **argv, const void *opts, struct err *e)
{
	(void)opts;
	return patch(c, argv, "note", false, e);
}

int cmd_note(int argc, char **argv)
{
	static const struct cmd_spec spec = {"ID TEXT", "Write a note about a node; \"\" takes it away.", NULL, 2, 2};

	return run(argc, argv, &spec, note_node, NULL);
}

/* Deleting is asked for by name, or by --yes where nobody can be asked. */
static int sure(struct cmd *c, const char *path, struct err *e)
{
	CLEANUP(json_freep) struct json *j = NULL;
	CLEANUP(freep) char *typed = NULL, *name = NULL;

	if (!isatty(STDIN_FILENO))
		return err_set(e, ERR_USAGE, "a node is deleted only with --yes, where nobody can be asked");
	if (cmd_send(c, "GET", path, NULL, &j, e))
		return -1;
	name = xstrdup(json_get_str(j, "name", "?"));
	str_clean(name);
	fprintf(stderr, "%s: its key is refused at once, its history is kept for 30 days.\n", name);
	if (cmd_ask(&typed, "Type its name to delete it", false, e))
		return -1;
	return str_eq(typed, name) ? 0 : err_set(e, ERR_ABORTED, "\"%.100s\" is not its name; nothing was deleted", typed);
}

static int delete_node(struct cmd *c, char **argv, const void *opts, struct err *e)
{
	const bool *yes = opts;
	char path[64];

	if (node_path(path, argv[1], "", e) || (!*yes && sure(c, path, e)) ||
	    cmd_send(c, "DELETE", path, NULL, NULL, e))
		return -1;
	printf("Node %s is deleted.\n", argv[1]);
	return 0;
}

int cmd_delete(int argc, char **argv)
{
	bool yes = false;
	const struct opt more[] = {{.name = "yes", .type = OPT_FLAG, .to = &yes, .help = "Do not ask."}, {0}};
	const struct cmd_spec spec = {"ID [--yes]", "Delete a node: its key is refused, its history kept for 30 days.", more, 1,
				      1};

	return run(argc, argv, &spec, delete_node, &yes);
}

static int rotate(struct cmd *c, char **argv, const void *opts, struct err *e)
{
	CLEANUP(json_freep) struct json *j = NULL;
	char path[64];

	(void)opts;
	if (node_path(path, argv[1], "/rotate-key", e) || cmd_send(c, "POST", path, NULL, &j, e))
		return -1;
	if (c->json && j)
		cmd_print_json(j);
	else
		printf("Node %s gets its new key with its next report.\n", argv[1]);
	return 0;
}

int cmd_rotate_key(int argc, char **argv)
{
	static const struct cmd_spec spec = {
		"ID", "Give a node a new key with its next report; the old one ends when the new one is first used.", NULL, 1, 1};

	return run(argc, argv, &spec, rotate, NULL);
}

/* ---- asking a node */

struct request_options {
	const char *run, *timer, *at, *db, *expires, *files;
	bool wait, full;
};

static const char *const verbs[] = {"backup", "verify", "pause", "resume", "stop", "restore"};

static bool over(const char *state)
{
	return str_eq(state, "refused") || str_eq(state, "done") || str_eq(state, "failed") || str_eq(state, "withdrawn") ||
	       str_eq(state, "expired");
}

/* "Request UUID (backup): refused: ...". */
static void say_request(const struct json *j)
{
	const char *reason = json_get_str(j, "reason", ""), *run = json_get_str(j, "run", "");
	CLEANUP(freep) char *text = xasprintf("Request %s (%s): %s%s%s%s%s", json_get_str(j, "id", "?"),
					      json_get_str(j, "verb", "?"), json_get_str(j, "state", "?"), *reason ? ": " : "",
					      reason, *run ? "; run " : "", run);

	str_clean(text);
	puts(text);
	fflush(stdout);
}

/* Until the node has done it or not; each new state is told. -1 too when it came to nothing. */
static int follow_request(struct cmd *c, const char *path, struct json **j, struct err *e)
{
	CLEANUP(freep) char *before = xstrdup(json_get_str(*j, "state", "?"));

	while (!over(before)) {
		struct json *next = NULL;

		clock_sleep_ms(1000);
		if (cmd_send(c, "GET", path, NULL, &next, e))
			return -1;
		json_free(*j);
		*j = next;
		if (str_eq(before, json_get_str(next, "state", "?")))
			continue;
		free(before);
		before = xstrdup(json_get_str(next, "state", "?"));
		if (!c->json)
			say_request(next);
	}
	if (str_eq(before, "done"))
		return 0;
	return err_set(e, str_eq(before, "refused") ? ERR_FORBIDDEN : ERR_ABORTED, "the request was %s%s%.300s",
		       str_eq(before, "failed") ? "not fulfilled" : before, json_get_str(*j, "reason", "")[0] ? ": " : "",
		       json_get_str(*j, "reason", ""));
}

static int list_requests(struct cmd *c, const char *node, struct err *e)
{
	static const struct cmd_column columns[] = {
		{"ID", "id", CMD_TEXT},	     {"ASKED", "created", CMD_AGO}, {"BY", "created_by", CMD_TEXT},
		{"VERB", "verb", CMD_TEXT},  {"STATE", "state", CMD_TEXT},  {"RUN", "run", CMD_TEXT},
		{"REASON", "reason", CMD_TEXT},
	};
	char path[64];

	if (node_path(path, node, "/requests", e))
		return -1;
	return cmd_show(c, &(struct cmd_table){path, columns, ARRAY_LEN(columns), 0, "It was not asked for anything."}, e);
}

static int put_request(struct cmd_body *b, const struct request_options *o, char **argv, int n, struct err *e)
{
	int64_t ms;

	json_put_str(&b->o, "verb", argv[2]);
	if (n > 2)
		json_put_str(&b->o, "site", argv[3]);
	if (o->run)
		json_put_str(&b->o, "run", o->run);
	if (o->timer)
		json_put_str(&b->o, "timer", o->timer);
	if (o->at)
		json_put_str(&b->o, "at", o->at);
	if (o->db)
		json_put_str(&b->o, "db", o->db);
	cmd_body_words(b, "files", o->files);
	if (o->full)
		json_put_bool(&b->o, "full", true);
	if (!o->expires)
		return 0;
	if (cmd_span(&ms, o->expires, "--expires", e))
		return -1;
	json_put_int(&b->o, "expires_s", ms / 1000);
	return 0;
}

static int request(struct cmd *c, char **argv, const void *opts, struct err *e)
{
	const struct request_options *o = opts;
	CLEANUP(json_freep) struct json *j = NULL;
	struct cmd_body b;
	char path[64], one[128];
	int rc = 0;

	if (c->n == 1)
		return list_requests(c, argv[1], e);
	if (node_path(path, argv[1], "/requests", e))
		return -1;
	cmd_body_begin(&b);
	if (put_request(&b, o, argv, c->n, e)) {
		buf_done(&b.b);
		return -1;
	}
	if (cmd_send(c, "POST", path, &b, &j, e))
		return -1;
	if (!c->json)
		say_request(j);
	if (o->wait) {
		snprintf(one, sizeof(one), "%s/%s", path, json_get_str(j, "id", ""));
		rc = follow_request(c, one, &j, e);
	}
	if (c->json)
		cmd_print_json(j);
	return rc;
}

/* The verb must be known before anything is sent: a typo is told with the nearest. */
static int check_verb(struct cmd *c, char **argv, struct err *e)
{
	struct verb names[ARRAY_LEN(verbs) + 1] = {0};
	const char *nearest = NULL;

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		names[i].name = verbs[i];
		if (c->n > 1 && str_eq(argv[2], verbs[i]))
			return 0;
	}
	if (c->n < 2)
		return 0;
	(void)verb_find(names, argv[2], &nearest);
	return err_set(e, ERR_USAGE, "a node cannot be asked to \"%s\"%s%s%s", argv[2], nearest ? "; did you mean \"" : "",
		       str_or(nearest, "; it can be asked for backup, verify, pause, resume, stop, restore"), nearest ? "\"?" : "");
}

int cmd_request(int argc, char **argv)
{
	struct request_options o = {0};
	const struct opt more[] = {
		{.name = "run", .type = OPT_STR, .to = &o.run, .arg = "UUID", .help = "For stop and verify: which run."},
		{.name = "timer", .type = OPT_STR, .to = &o.timer, .arg = "NAME", .help = "For backup, pause and resume: which timer."},
		{.name = "at", .type = OPT_STR, .to = &o.at, .arg = "TIME", .help = "For restore: as it was then."},
		{.name = "db", .type = OPT_STR, .to = &o.db, .arg = "NAME", .help = "For restore: only this database."},
		{.name = "files", .type = OPT_STR, .to = &o.files, .arg = "A,B", .help = "For restore: only these paths."},
		{.name = "full", .type = OPT_FLAG, .to = &o.full, .help = "For verify: prove that it restores."},
		{.name = "expires", .type = OPT_STR, .to = &o.expires, .arg = "SPAN",
		 .help = "The node may begin within so long (1h)."},
		{.name = "wait", .type = OPT_FLAG, .to = &o.wait, .help = "Until the node has done it, refused it or failed."},
		{0}};
	const struct cmd_spec spec = {
		"ID [backup|verify|pause|resume|stop|restore [SITE]] [--wait]",
		"Ask a node to do something; its own allow_requests decides. Without a verb: what it was asked.", more, 1, 3};
	struct err e = {0};
	struct cmd c;
	int rc = cmd_begin(&c, &spec, argc, argv, &e);

	if (rc == 0)
		rc = check_verb(&c, argv, &e) || cmd_connect(&c, &e) || request(&c, argv, &o, &e) ? -1 : 0;
	rc = rc < 0 ? cmd_fail(&c, &e) : 0;
	cmd_end(&c);
	return rc;
}
