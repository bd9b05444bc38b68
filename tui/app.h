/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TUI_APP_H
#define FELLOE_TUI_APP_H

#include <stdbool.h>
#include <stdint.h>

#include "tui/dialog.h"
#include "tui/keymap.h"
#include "tui/list.h"
#include "tui/model.h"
#include "tui/net.h"
#include "tui/screen.h"

/* The console without a terminal: keys and data in, cells and requests out. The
 * loop of ui.c feeds it, the tests too. */

struct app;

/* A screen of the console: a const table of functions. */
struct view_ops {
	const char *name;             /* in row 2 and in the help: "Nodes" */
	const struct binding *keys;   /* ended by a zeroed entry */
	bool tab;                     /* has a number in row 2 */
	const char *hint;             /* in the message line until there is a message; NULL */
	void *(*make)(void);
	void (*drop)(void *v);
	/* All between the title and the message line; app_body says where the rows go. */
	void (*draw)(struct app *a, void *v, struct screen *s);
	/* Text fields and movement; true when used. NULL: none. */
	bool (*key)(struct app *a, void *v, int key, const char *text);
	/* A command of keys. */
	void (*act)(struct app *a, void *v, int command);
	/* Before each frame of this view. NULL: none. */
	void (*tick)(struct app *a, void *v);
	/* New data of the model. NULL: none. */
	void (*data)(struct app *a, void *v);
	/* Rows of the nodes are the same, with other numbers. NULL: nothing to do but to draw. */
	void (*numbers)(struct app *a, void *v);
	/* An answer to app_ask. NULL: none. */
	void (*answer)(struct app *a, void *v, const struct net_answer *ans);
	/* The dialog was answered with yes. NULL: none. */
	void (*confirmed)(struct app *a, void *v, struct dialog *d);
	/* Keys go to a text field now: letters are text. NULL: never. */
	bool (*typing)(void *v);
};

enum view_id { VIEW_LOGIN, VIEW_NODES, VIEW_APPROVALS, VIEW_ALERTS, VIEW_NODE, VIEWS };

enum { LOG_LINES = 200, LOG_TEXT = 256 };
struct message {
	int64_t at;
	enum style style;
	char text[LOG_TEXT];
};

/* How requests leave: the network thread, or a test that records them. */
struct app_remote {
	void *ctx;
	void (*ask)(void *ctx, const struct net_ask *ask);
	void (*sign_in)(void *ctx, const struct net_sign_in *s);
	void (*retry)(void *ctx);
};

struct app {
	const struct view_ops *ops[VIEWS];
	void *views[VIEWS];
	enum view_id view;
	enum view_id from;        /* where the page of a node was opened: back goes there */
	enum view_id behind;      /* what the sign-in covers: shown again after it; VIEW_LOGIN none */
	struct app_remote remote;
	struct net_state link;
	struct nodes *nodes;      /* NULL: not loaded yet; the app's reference */
	struct detail *detail;    /* of want.node */
	struct runs *runs;        /* of want.runs_of */
	struct alerts *alerts;    /* NULL: not loaded, or the master has none */
	struct net_want want;
	int64_t now;              /* wall clock of this frame */
	int64_t mono;
	bool read_only;           /* --read-only */
	bool utc, frozen, quit, suspend, redraw, drop_keys;
	bool help, log_open;
	int help_top, log_top;
	struct dialog dialog;
	struct message log[LOG_LINES]; /* a ring */
	size_t log_n;             /* ever written */
	size_t log_seen;          /* log_n when the view was opened */
};

void app_init(struct app *a, const struct app_remote *remote);
/* Makes the view; all of them before the first key or frame. */
void app_view(struct app *a, enum view_id id, const struct view_ops *ops);
void app_done(struct app *a);
/* The clock of the next frame; the view may ask for what it lacks. */
void app_clock(struct app *a, int64_t now, int64_t mono);
/* New data; each may be NULL (nothing new). Taken over. */
void app_data(struct app *a, struct nodes *n, struct detail *d, struct runs *r);
void app_alerts(struct app *a, struct alerts *alerts);
/* Of the nodes that came last. Taken over. */
void app_change(struct app *a, struct change *c);
void app_link(struct app *a, const struct net_state *s);
void app_answer(struct app *a, struct net_answer *ans);
void app_key(struct app *a, int key, const char *text);
void app_draw(struct app *a, struct screen *s);

/* ---- for the views */

void app_show(struct app *a, enum view_id view);
/* Its page, and from now on its data. */
void app_open_node(struct app *a, uint64_t id);
/* The message line (and the log): it stays until the next one. */
void app_say(struct app *a, enum style style, const char *fmt, ...) PRINTF(3, 4);
/* A GET, or (changes) what the user confirmed. */
void app_ask(struct app *a, const struct net_ask *ask);
/* What is shown is not of now: the master is lost. */
bool app_stale(const struct app *a);
/* Full frame, list with few columns, list alone, or too small for anything. */
enum app_size { SIZE_FULL, SIZE_LIST, SIZE_NONE };
enum app_size app_size(const struct screen *s);
/* Where the view may draw: between the screens' row and the message line. */
struct rect app_body(const struct screen *s);

/* "sort: ...   filter: ...   2 marked   1-13 of 14" in the row above a list. */
struct app_info {
	const char *left;      /* "sort: state, name" */
	const char *middle;    /* "filter: (none)" */
	const struct table *table;
	const struct field *filter; /* being typed; NULL */
};
void app_info(const struct app *a, struct screen *s, const struct app_info *i);

/* Commands that every screen knows. */
enum { CMD_COMMON = 1000, CMD_HELP, CMD_LOG, CMD_FREEZE, CMD_ZONE, CMD_REFRESH, CMD_REDRAW, CMD_SUSPEND, CMD_QUIT,
       CMD_BACK, CMD_CANCEL, CMD_TAB1, CMD_TAB2, CMD_TAB3 };

#endif
