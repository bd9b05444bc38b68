/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_WIZARD_H
#define FELLOE_WIZARD_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/attr.h"
#include "tui/dialog.h"
#include "tui/form.h"
#include "tui/screen.h"
#include "tui/wizard/answers.h"
#include "tui/wizard/job.h"

/* `felloe configure`: six steps over one set of answers. Steps open in any
 * order, answers survive, nothing changes before Review applies them. A step is
 * a const table of functions; all of it is painted on a screen and driven by
 * keys, without a terminal, so that tests see what a user sees. */

enum wizard_step { STEP_ROLE, STEP_MASTER, STEP_SITES, STEP_STORAGES, STEP_SCHEDULE, STEP_REVIEW, STEPS };

enum look_state { LOOK_NEVER, LOOK_RUNNING, LOOK_DONE, LOOK_FAILED };

enum { LOOK_DIRS = 16, CALENDAR_NEXT = 5, REVIEW_LINES = 16 };

struct review_line {
	char text[ANSWER_TEXT];
	int64_t ms;          /* -1 none yet */
	char mark;           /* 'o' done, '!' failed, '>' at work, 'w' warning */
};

struct wizard {
	struct answers a;
	enum wizard_step step;
	bool seen[STEPS];
	char message[ANSWER_TEXT];
	unsigned message_style;
	bool help, quit;
	bool not_kept;           /* the answers could not be written the last time */
	int exit_status;
	struct dialog dialog;

	/* where the node's programs are told to work; NULL: their defaults */
	const char *state_dir, *unit_dir;
	bool is_root;

	/* the one look-up at work for the step that is open */
	struct job *job;
	struct form form;    /* of the step or of its open editor */
	bool editing;        /* an editor box is open */
	size_t row;          /* cursor of the step's list */
	struct field fields[12];
	int choice;
	bool checks[12];

	struct {
		char system[128], hostname[256], clock[64];
	} role;
	struct {
		enum look_state state;
		char result[ANSWER_TEXT]; /* "API ✓  clock ✓ 0.2 s" */
		char error[ANSWER_TEXT];
		char seen_pin[80];        /* of the key that the server showed */
		bool good;
	} master;
	struct {
		enum look_state state;
		char dirs[LOOK_DIRS][ANSWER_TEXT];
		size_t n_dirs;
		char error[ANSWER_TEXT];
		int64_t ms;
		bool adding, checking; /* the d prompt; the databases are being tried */
	} sites;
	struct {
		size_t testing;        /* index of the storage under test */
		bool adding;
	} storages;
	struct {
		enum look_state state;
		char expr[ANSWER_TEXT]; /* asked for */
		char next[CALENDAR_NEXT][64];
		size_t n_next;
		char note[ANSWER_TEXT], error[ANSWER_TEXT];
		bool adding;
	} calendar;
	struct {
		struct review_line lines[REVIEW_LINES];
		size_t n;
		struct job *apply, *join;
		bool applied, done, failed;
		char code[64];
	} review;
};

struct wizard_step_ops {
	const char *title;
	void (*enter)(struct wizard *w);
	/* Rows 4 to 22 of the screen. */
	void (*draw)(struct wizard *w, struct screen *s, struct rect body);
	/* True when the key was for the step. */
	bool (*key)(struct wizard *w, int key, const char *text);
	/* Something of w->job came, or a tick passed. */
	void (*poll)(struct wizard *w);
	/* Takes what stands in open fields into the answers; false: a field is wrong, stay. */
	bool (*leave)(struct wizard *w);
	/* True while letters are text, not commands. */
	bool (*typing)(const struct wizard *w);
	const char *footer;
	const char *help;
};
/* One a file, step_NAME.c. */
const struct wizard_step_ops *step_role(void);
const struct wizard_step_ops *step_master(void);
const struct wizard_step_ops *step_sites(void);
const struct wizard_step_ops *step_storages(void);
const struct wizard_step_ops *step_schedule(void);
const struct wizard_step_ops *step_review(void);

/* Reads the machine and the answers; the job state is empty. */
int wizard_init(struct wizard *w, const char *config_path, const char *state_dir, struct err *e) MUSTCHECK;
void wizard_done(struct wizard *w);
void wizard_draw(struct wizard *w, struct screen *s);
void wizard_key(struct wizard *w, int key, const char *text);
/* Takes what the jobs have said; true when the screen should be painted again. */
bool wizard_poll(struct wizard *w);
/* Descriptors to wait on besides the keys; how many were written (at most 3). */
size_t wizard_fds(const struct wizard *w, int fds[static 3]);

/* For the steps: */
void wizard_say(struct wizard *w, unsigned style, const char *fmt, ...) PRINTF(3, 4);
/* Starts felloe-noded with these words (NULL-ended; "--state" and "--config"
 * are added when has_config) as w->job; a job of before ends. input may hold
 * secrets. False: it could not start, and the message says so. */
bool wizard_run(struct wizard *w, const char *const *words, const char *input);
void wizard_drop_job(struct wizard *w);
/* A list of n rows in r with the cursor on *row: scrolls, takes moving keys. */
bool wizard_list_key(size_t *row, size_t n, int key);
/* The first row to paint so that row stays visible in height lines. */
size_t wizard_list_top(size_t row, size_t n, int height);
/* "12.9 G" or "-" */
const char *wizard_size(char text[static 24], int64_t bytes);

#endif
