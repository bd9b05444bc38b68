/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "shared/mem.h"
#include "shared/str.h"
#include "tui/cmd_show.h"

/* Changing a node at the master: felloe rename, tags, note, delete, rotate-key. */

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
