/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/fs.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "tui/keys.h"
#include "tui/wizard/wizard.h"

/* Step 3: what is backed up. `felloe-noded sites` finds, `felloe-noded check
 * --only sites` tries the databases of those that are marked. */

enum { FIELD_DIR, FIELD_HOST, FIELD_NAME, FIELD_USER, FIELD_PASSWORD, FIELD_EXCLUDE };
enum { ID_DIR = 1, ID_HOST, ID_NAME, ID_USER, ID_PASSWORD, ID_EXCLUDE, ID_KEEP, ID_CANCEL };

static void look(struct wizard *w)
{
	const char *words[LOOK_DIRS + 3] = {"sites", "--json"};
	size_t n = 2;

	for (size_t i = 0; i < w->sites.n_dirs; i++)
		words[n++] = w->sites.dirs[i];
	words[n] = NULL;
	w->sites.checking = false;
	w->sites.error[0] = '\0';
	w->sites.state = wizard_run(w, words, NULL) ? LOOK_RUNNING : LOOK_FAILED;
}

static void try_databases(struct wizard *w)
{
	static const char *const words[] = {"check", "--only", "sites", "--json", "--config", "-", NULL};
	bool any = false;
	struct buf b;

	for (size_t i = 0; i < w->a.sites.n; i++)
		any |= w->a.sites.v[i].chosen;
	if (!any)
		return;
	buf_init(&b, 1 << 20);
	answers_config(&w->a, &b);
	w->sites.checking = wizard_run(w, words, b.p);
	mem_wipe(b.p, b.len);
	buf_done(&b);
}

static void enter(struct wizard *w)
{
	w->sites.adding = false;
	if (w->sites.state == LOOK_NEVER)
		look(w);
	else
		try_databases(w);
}

static struct answer_site *by_name(struct wizard *w, const char *name)
{
	for (size_t i = 0; i < w->a.sites.n; i++)
		if (str_eq(w->a.sites.v[i].name, name))
			return &w->a.sites.v[i];
	return NULL;
}

static struct answer_site *by_config(struct wizard *w, const char *path)
{
	for (size_t i = 0; i < w->a.sites.n; i++)
		if (path[0] && str_eq(w->a.sites.v[i].wp_config, path))
			return &w->a.sites.v[i];
	return NULL;
}

static void take_text(char *to, size_t size, const struct json *o, const char *key)
{
	str_cut(to, size, json_get_str(o, key, to));
	str_clean(to);
}

/* Files that a new site holds need not be backed up twice: the directory above it loses its mark. */
static void unmark_above(struct wizard *w, const struct answer_site *below)
{
	for (size_t i = 0; i < w->a.sites.n; i++) {
		struct answer_site *s = &w->a.sites.v[i];
		size_t n = strlen(s->dir);

		if (s != below && !s->wp_config[0] && n && str_starts(below->dir, s->dir) &&
		    (below->dir[n] == '/' || !below->dir[n]))
			s->chosen = false;
	}
}

/* A site that was found: new, or news about one that is known already. */
static void found(struct wizard *w, const struct json *j)
{
	const char *config = json_get_str(j, "wp_config_path", "");
	struct answer_site *s = by_config(w, config);
	const char *slash = strrchr(config, '/');
	bool fresh = !s;

	if (!s) {
		s = list_push(&w->a.sites);
		s->bytes = s->db_bytes = -1;
		take_text(s->name, sizeof(s->name), j, "name");
		s->chosen = w->a.old == NULL;
	}
	str_cut(s->wp_config, sizeof(s->wp_config), config);
	take_text(s->wp_content, sizeof(s->wp_content), j, "wp_content_path");
	if (!s->db_password[0]) {
		take_text(s->db_name, sizeof(s->db_name), j, "db_name");
		take_text(s->db_user, sizeof(s->db_user), j, "db_user");
		take_text(s->db_host, sizeof(s->db_host), j, "db_host");
	}
	s->has_db = true;
	if (slash)
		snprintf(s->dir, sizeof(s->dir), "%.*s", (int)(slash - config), config);
	if (fresh && s->chosen)
		unmark_above(w, s);
	str_cut(s->kind, sizeof(s->kind), json_get_str(j, "kind", "WordPress"));
	s->bytes = json_get_int(j, "files_bytes", -1);
	str_cut(s->db_error, sizeof(s->db_error), json_get_str(j, "problem", ""));
}

/* {"sites":[{"name":…,"ok":…,"error":…,"db_bytes":…}]} */
static void tried(struct wizard *w, const struct json *j)
{
	for (const struct json *c = json_first(json_get(j, "sites")); c; c = json_next(c)) {
		struct answer_site *s = by_name(w, json_get_str(c, "name", ""));

		if (!s)
			continue;
		s->db_ok = json_get_bool(c, "ok", false);
		s->db_bytes = json_get_int(c, "db_bytes", s->db_bytes);
		str_cut(s->db_error, sizeof(s->db_error), s->db_ok ? "" : json_get_str(c, "error", "not tried"));
		str_clean(s->db_error);
	}
}

static void poll_jobs(struct wizard *w)
{
	CLEANUP(json_freep) struct json *j = NULL;
	struct err e;

	if (!w->job || job_poll(w->job, NULL, NULL))
		return;
	if (w->sites.checking) {
		w->sites.checking = false;
		if (job_json(w->job, &j, &e) == 0)
			tried(w, j);
		else
			wizard_say(w, ST_WARN, "▲ The databases could not be tried: %s", e.msg);
		wizard_drop_job(w);
		return;
	}
	w->sites.ms = job_ms(w->job);
	if (job_json(w->job, &j, &e)) {
		w->sites.state = LOOK_FAILED;
		str_cut(w->sites.error, sizeof(w->sites.error), e.msg);
		wizard_drop_job(w);
		return;
	}
	w->sites.state = LOOK_DONE;
	for (const struct json *c = json_first(json_get(j, "sites")); c; c = json_next(c))
		found(w, c);
	try_databases(w);
	if (!w->sites.checking)
		wizard_drop_job(w);
}

/* ---- painting ------------------------------------------------------------------------ */

static void draw_looked(const struct wizard *w, struct screen *s, struct span at)
{
	char dirs[ANSWER_TEXT] = "";
	size_t len = 0;

	for (size_t i = 0; i < w->sites.n_dirs && len < sizeof(dirs); i++)
		len += (size_t)snprintf(dirs + len, sizeof(dirs) - len, "%s%s", i ? ", " : "", w->sites.dirs[i]);
	if (w->sites.state == LOOK_RUNNING)
		screen_putf(s, at, ST_RUN, "Looking in: %s  » %lld s", dirs[0] ? dirs : "/var/www, /srv, /home/*/public_html",
			    (long long)(job_ms(w->job) / 1000));
	else if (w->sites.state == LOOK_FAILED)
		screen_putf(s, at, ST_FAIL, "✗ %s", w->sites.error);
	else
		screen_putf(s, at, ST_TEXT, "Looked in: %s  done, %lld s",
			    dirs[0] ? dirs : "/var/www, /srv, /home/*/public_html", (long long)(w->sites.ms / 1000));
}

static void draw_row(const struct wizard *w, struct screen *s, int y, size_t i)
{
	const struct answer_site *a = &w->a.sites.v[i];
	bool here = i == w->row;
	char size[24], db[24];
	int dir_w = s->cols >= 76 ? 20 : 0;
	int x = 7;

	screen_put(s, AT(y, 1, 2), ST_TEXT, here ? ">" : " ");
	screen_put(s, AT(y, 3, 3), ST_TEXT, a->chosen ? "[x]" : "[ ]");
	screen_put(s, AT(y, x, 17), ST_TEXT, a->name);
	x += 18;
	if (dir_w)
		screen_put(s, AT(y, x, dir_w), ST_TEXT, a->dir);
	x += dir_w ? dir_w + 1 : 0;
	screen_put(s, AT(y, x, 14), ST_TEXT, a->kind);
	x += 15;
	screen_right(s, AT(y, x, 6), ST_TEXT, wizard_size(size, a->bytes));
	x += 8;
	if (!a->has_db)
		screen_put(s, AT(y, x, s->cols - x), ST_DIM, "-");
	else if (a->db_ok)
		screen_putf(s, AT(y, x, s->cols - x), ST_OK, "✓ %s %s", a->db_name, a->db_bytes < 0 ? "" : wizard_size(db, a->db_bytes));
	else
		screen_put(s, AT(y, x, s->cols - x), a->db_error[0] ? ST_FAIL : ST_DIM,
			   a->db_error[0] ? "✗ no login" : w->sites.checking && a->chosen ? "» trying" : "not tried");
	if (here)
		screen_select(s, AT(y, 1, s->cols - 1));
}

static void draw_detail(const struct wizard *w, struct screen *s, struct rect r)
{
	const struct answer_site *a = w->row < w->a.sites.n ? &w->a.sites.v[w->row] : NULL;

	if (!a || r.h < 3)
		return;
	screen_rule(s, AT(r.y, 0, r.w), ST_HEAD, a->name);
	if (a->has_db)
		screen_putf(s, AT(r.y + 1, 3, r.w - 4), ST_TEXT, "%s: host %s, database %s, user %s",
			    a->wp_config[0] && !a->db_password[0] ? "wp-config.php" : "database",
			    a->db_host[0] ? a->db_host : "localhost", a->db_name[0] ? a->db_name : "?", a->db_user[0] ? a->db_user : "?");
	else
		screen_putf(s, AT(r.y + 1, 3, r.w - 4), ST_TEXT, "files only: %s", a->dir);
	if (a->db_error[0])
		screen_wrap(s, RECT(r.y + 2, 3, 2, r.w - 4), ST_FAIL, a->db_error);
	if (r.h >= 5)
		screen_putf(s, AT(r.y + 4, 3, r.w - 4), ST_TEXT, "Leave out  %s", a->exclude[0] ? a->exclude : "caches, .git and logs of WordPress");
}

static void draw(struct wizard *w, struct screen *s, struct rect b)
{
	int rows = b.h - 10 > 3 ? b.h - 10 : 3;
	size_t top = wizard_list_top(w->row, w->a.sites.n, rows), chosen = 0;

	draw_looked(w, s, AT(b.y, 1, b.w - 2));
	screen_put(s, AT(b.y + 1, 7, b.w - 7), ST_HEAD, "SITE");
	if (b.w >= 76)
		screen_put(s, AT(b.y + 1, 25, 20), ST_HEAD, "DIRECTORY");
	screen_put(s, AT(b.y + 1, b.w >= 76 ? 46 : 25, b.w), ST_HEAD, "KIND            FILES  DATABASE");
	if (w->a.sites.n == 0 && w->sites.state != LOOK_RUNNING)
		screen_put(s, AT(b.y + 3, 7, b.w - 8), ST_TEXT, "Nothing found there; d adds a directory (WordPress or plain files).");
	for (int i = 0; i < rows && top + (size_t)i < w->a.sites.n; i++)
		draw_row(w, s, b.y + 2 + i, top + (size_t)i);
	if (w->editing) {
		screen_fill(s, RECT(b.y + 2, 0, b.h - 2, b.w), ST_TEXT);
		screen_box(s, RECT(b.y + 2, 3, b.h - 3, b.w - 6), ST_HEAD, w->sites.adding ? "Add a directory" : w->a.sites.v[w->row].name);
		form_draw(s, RECT(b.y + 3, 5, b.h - 5, b.w - 10), &w->form);
		return;
	}
	draw_detail(w, s, RECT(b.y + rows + 3, 0, b.h - rows - 4, b.w));
	for (size_t i = 0; i < w->a.sites.n; i++)
		chosen += w->a.sites.v[i].chosen;
	screen_putf(s, AT(b.y + b.h - 1, 1, b.w - 2), ST_DIM, "%zu of %zu sites marked", chosen, w->a.sites.n);
}

/* ---- keys ------------------------------------------------------------------------------ */

static struct form_item *field(struct wizard *w, int at, const char *label, const char *value)
{
	struct form_item *it = form_add(&w->form, ITEM_FIELD, label, at + ID_DIR);

	it->field = &w->fields[at];
	field_set(it->field, value);
	return it;
}

static void buttons(struct wizard *w)
{
	form_add(&w->form, ITEM_BUTTON, "Keep", ID_KEEP);
	form_add(&w->form, ITEM_BUTTON, "Cancel", ID_CANCEL)->is_default = true;
	w->editing = true;
}

static void edit(struct wizard *w)
{
	const struct answer_site *a = &w->a.sites.v[w->row];

	form_reset(&w->form);
	w->form.label_width = 12;
	field(w, FIELD_HOST, "DB host", a->db_host);
	field(w, FIELD_NAME, "Database", a->db_name);
	field(w, FIELD_USER, "User", a->db_user);
	field(w, FIELD_PASSWORD, "Password", a->db_password);
	w->fields[FIELD_PASSWORD].secret = true;
	field(w, FIELD_EXCLUDE, "Leave out", a->exclude);
	form_add(&w->form, ITEM_TEXT, "", 0);
	form_add(&w->form, ITEM_TEXT, "An empty password keeps what wp-config.php says.", 0)->style = ST_DIM;
	form_add(&w->form, ITEM_TEXT, "* as database: all of the server.", 0)->style = ST_DIM;
	buttons(w);
}

static void add(struct wizard *w)
{
	form_reset(&w->form);
	w->form.label_width = 12;
	field(w, FIELD_DIR, "Directory", "/");
	form_add(&w->form, ITEM_TEXT, "", 0);
	form_add(&w->form, ITEM_TEXT, "WordPress sites below it are found;", 0)->style = ST_DIM;
	form_add(&w->form, ITEM_TEXT, "without any it is backed up as files.", 0)->style = ST_DIM;
	w->sites.adding = true;
	buttons(w);
}

static void take_edit(struct wizard *w)
{
	struct answer_site *a = &w->a.sites.v[w->row];

	str_cut(a->db_host, sizeof(a->db_host), w->fields[FIELD_HOST].v);
	str_cut(a->db_name, sizeof(a->db_name), w->fields[FIELD_NAME].v);
	str_cut(a->db_user, sizeof(a->db_user), w->fields[FIELD_USER].v);
	str_cut(a->db_password, sizeof(a->db_password), w->fields[FIELD_PASSWORD].v);
	str_cut(a->exclude, sizeof(a->exclude), w->fields[FIELD_EXCLUDE].v);
	a->has_db = a->wp_config[0] || a->db_name[0];
	a->db_error[0] = '\0';
	a->db_ok = false;
	w->editing = false;
	try_databases(w);
}

/* A directory as a site of its own, named after its last part. */
static void add_files(struct wizard *w, const char *dir)
{
	struct answer_site *s = list_push(&w->a.sites);
	const char *base = strrchr(dir, '/');

	str_cut(s->dir, sizeof(s->dir), dir);
	str_cut(s->name, sizeof(s->name), base && base[1] ? base + 1 : "files");
	for (char *c = s->name; *c; c++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-", *c))
			*c = '-';
	if (!str_is_name(s->name))
		str_cut(s->name, sizeof(s->name), "files");
	for (unsigned i = 2; by_name(w, s->name) != s; i++)
		snprintf(s->name, sizeof(s->name), "files-%u", i);
	str_cut(s->kind, sizeof(s->kind), "files only");
	s->bytes = s->db_bytes = -1;
	s->chosen = true;
}

static void take_dir(struct wizard *w)
{
	char dir[ANSWER_TEXT];
	size_t len;

	/* the field begins with a slash; a whole path may have been typed behind it */
	str_cut(dir, sizeof(dir), w->fields[FIELD_DIR].v + (str_starts(w->fields[FIELD_DIR].v, "//") ? 1 : 0));
	for (len = strlen(dir); len > 1 && dir[len - 1] == '/'; len--)
		dir[len - 1] = '\0';
	if (dir[0] != '/' || !dir[1]) {
		wizard_say(w, ST_FAIL, "✗ Give the whole path, such as /srv/www (not \"%s\")", dir);
		return;
	}
	if (fs_exists(dir) == false) {
		wizard_say(w, ST_FAIL, "✗ %s does not exist on this machine", dir);
		return;
	}
	w->editing = w->sites.adding = false;
	if (w->sites.n_dirs < LOOK_DIRS)
		str_cut(w->sites.dirs[w->sites.n_dirs++], ANSWER_TEXT, dir);
	add_files(w, dir);
	wizard_say(w, ST_TEXT, "%s is added as files; where WordPress is found below it, that is marked instead.", dir);
	look(w);
}

static bool edit_key(struct wizard *w, int k, const char *text)
{
	enum form_result r;

	if (k == K_ESC) {
		w->editing = w->sites.adding = false;
		return true;
	}
	r = form_key(&w->form, k, text);
	if (r != FORM_PRESSED)
		return r != FORM_IGNORED;
	if (w->form.items[w->form.focus].id == ID_CANCEL)
		w->editing = w->sites.adding = false;
	else if (w->sites.adding)
		take_dir(w);
	else
		take_edit(w);
	return true;
}

static void mark(struct wizard *w)
{
	w->a.sites.v[w->row].chosen = !w->a.sites.v[w->row].chosen;
	if (w->a.sites.v[w->row].chosen && w->a.sites.v[w->row].has_db && !w->job)
		try_databases(w);
}

static bool key(struct wizard *w, int k, const char *text)
{
	if (w->editing)
		return edit_key(w, k, text);
	if (wizard_list_key(&w->row, w->a.sites.n, k))
		return true;
	switch (k) {
	case K_SPACE:
		if (w->row < w->a.sites.n)
			mark(w);
		return true;
	case '+':
		for (size_t i = 0; i < w->a.sites.n; i++)
			w->a.sites.v[i].chosen = true;
		try_databases(w);
		return true;
	case 'E':
	case K_ENTER:
		if (w->row < w->a.sites.n)
			edit(w);
		return true;
	case 'd':
		add(w);
		return true;
	case 'r':
		look(w);
		return true;
	default:
		return false;
	}
}

static bool leave(struct wizard *w)
{
	if (w->sites.state == LOOK_RUNNING)
		w->sites.state = LOOK_NEVER;
	w->sites.checking = false;
	return true;
}

static bool typing(const struct wizard *w)
{
	return w->editing;
}

const struct wizard_step_ops *step_sites(void)
{
	static const struct wizard_step_ops ops = {
		.title = "Sites", .enter = enter, .draw = draw, .key = key, .poll = poll_jobs, .leave = leave, .typing = typing,
		.footer = "Space Mark  + All  E Edit  d Add dir  r Look again  n Next  p Back  F1 Help",
		.help = "Each WordPress site found has its database read from wp-config.php, which is never run as a program. "
			"Marked sites are backed up: database and wp-content in one archive. E changes how the database is reached "
			"and what is left out. A directory without WordPress is backed up as files.",
	};

	return &ops;
}
