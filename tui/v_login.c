/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/mem.h"
#include "shared/str.h"
#include "tui/keys.h"
#include "tui/views.h"

enum { ID_MASTER = 1, ID_USER, ID_PASSWORD, ID_REMEMBER, ID_SIGN_IN, ID_CANCEL };
enum { CMD_SHOW = 1, CMD_NONE };
enum { ASK_TRUST = 1, ASK_CODE }; /* what the dialog is about */

struct login_view {
	struct form form;
	struct field master, user, password;
	bool remember, busy, built;
	char pin[64];          /* trusted before or just now */
	char seen_pin[64];     /* asked about */
	bool code_tried;       /* a one-time code was sent */
	char says[200];        /* below the box */
	char tls[2][80];
	int64_t asked_at;
};

static const struct binding keys[] = {
	{K_TAB, CMD_NONE, "Tab", "Next", "next field; Shift-Tab: the one before", false},
	{K_CTRL('p'), CMD_SHOW, "^P", "Show password", "show or hide the password", false},
	{K_ENTER, CMD_NONE, "Enter", "Sign in", "next field; in the last one: sign in", false},
	{K_F1, CMD_HELP, "F1", "Help", "this list", false},
	{K_ESC, CMD_BACK, "Esc", "Quit", "leave felloe", false},
	{0, 0, NULL, NULL, NULL, false},
};

static void *make(void)
{
	struct login_view *v = xcalloc(1, sizeof(*v));

	v->password.secret = true;
	v->remember = true;
	return v;
}

static void drop(void *p)
{
	struct login_view *v = p;

	field_done(&v->password);
	free(v);
}

void view_login_set(void *p, const char *master, const char *user, const char *pin)
{
	struct login_view *v = p;

	field_set(&v->master, master);
	field_set(&v->user, user);
	str_cut(v->pin, sizeof(v->pin), str_or(pin, ""));
	form_focus(&v->form, str_empty(master) ? ID_MASTER : str_empty(user) ? ID_USER : ID_PASSWORD);
}

/* Two lines about what protects the password on its way. */
static void tls_lines(struct login_view *v)
{
	v->tls[0][0] = v->tls[1][0] = '\0';
	if (str_starts(v->master.v, "https://") && v->pin[0]) {
		str_cut(v->tls[0], sizeof(v->tls[0]), "TLS      with the key you trust:");
		snprintf(v->tls[1], sizeof(v->tls[1]), "         %.8s%.7s…%s", v->pin, v->pin + 8,
			 v->pin + strlen(v->pin) - 1);
	} else if (str_starts(v->master.v, "https://")) {
		str_cut(v->tls[0], sizeof(v->tls[0]), "TLS      checked by the authorities known here");
	} else if (str_starts(v->master.v, "http://")) {
		str_cut(v->tls[0], sizeof(v->tls[0]), "▲ no TLS: the password can be read on its way");
		str_cut(v->tls[1], sizeof(v->tls[1]), "  (harmless on this machine itself)");
	}
}

static void build(struct login_view *v)
{
	struct form *f = &v->form;

	if (v->built)
		return;
	v->built = true;
	f->enter_presses = true;
	f->label_width = 9;
	form_add(f, ITEM_FIELD, "Master", ID_MASTER)->field = &v->master;
	form_add(f, ITEM_FIELD, "User", ID_USER)->field = &v->user;
	form_add(f, ITEM_FIELD, "Password", ID_PASSWORD)->field = &v->password;
	form_add(f, ITEM_TEXT, "", 0);
	form_add(f, ITEM_CHECK, "Remember master and user   (never the", ID_REMEMBER)->check = &v->remember;
	form_add(f, ITEM_TEXT, "                                password)", 0);
	form_add(f, ITEM_TEXT, "", 0);
	form_add(f, ITEM_TEXT, v->tls[0], 0)->style = ST_DIM;
	form_add(f, ITEM_TEXT, v->tls[1], 0)->style = ST_DIM;
	form_add(f, ITEM_BUTTON, "Sign in", ID_SIGN_IN);
	form_add(f, ITEM_BUTTON, "Cancel", ID_CANCEL);
	form_focus(f, !v->master.v[0] ? ID_MASTER : !v->user.v[0] ? ID_USER : ID_PASSWORD);
}

static void draw(struct app *a, void *p, struct screen *s)
{
	struct login_view *v = p;
	int h = s->rows >= 24 ? 14 : s->rows - 5, w = s->cols >= 60 ? 51 : s->cols, y = s->rows >= 24 ? 4 : 1;
	struct rect r = RECT(y, (s->cols - w + 1) / 2, h, w);

	build(v);
	tls_lines(v);
	if (s->cols < 80)
		r.x = (s->cols - w) / 2;
	screen_window(s, r, "Sign in");
	form_draw(s, RECT(r.y + (h > 12 ? 2 : 1), r.x + 3, h - (h > 12 ? 3 : 2), w - 5), &v->form);
	if (v->busy)
		screen_putf(s, AT(r.y + h, r.x + 1, s->cols - r.x - 1), ST_TEXT, "… signing in%s",
			    a->mono - v->asked_at > 1000 ? ", waiting for the master" : "");
	else
		screen_wrap(s, RECT(r.y + h, r.x + 1, 2, s->cols - r.x - 2), ST_FAIL, v->says);
}

/* code: one-time or recovery; NULL none. */
static void sign_in(struct app *a, struct login_view *v, const char *code)
{
	struct net_sign_in s = {.remember = v->remember};

	v->says[0] = '\0';
	if (!str_starts(v->master.v, "http://") && !str_starts(v->master.v, "https://")) {
		str_cut(v->says, sizeof(v->says), "✗ The master is a URL: https://master.example.net");
		form_focus(&v->form, ID_MASTER);
		return;
	}
	if (!v->user.v[0] || !v->password.v[0]) {
		str_cut(v->says, sizeof(v->says),
			v->user.v[0] ? "✗ The password is missing." : "✗ The user is missing.");
		form_focus(&v->form, v->user.v[0] ? ID_PASSWORD : ID_USER);
		return;
	}
	str_cut(s.master, sizeof(s.master), v->master.v);
	str_cut(s.user, sizeof(s.user), v->user.v);
	str_cut(s.pin, sizeof(s.pin), v->pin);
	str_cut(s.password, sizeof(s.password), v->password.v);
	str_cut(s.otp, sizeof(s.otp), str_or(code, ""));
	v->code_tried = code != NULL;
	v->busy = true;
	v->asked_at = a->mono;
	a->remote.sign_in(a->remote.ctx, &s);
	mem_wipe(&s, sizeof(s));
}

static bool key(struct app *a, void *p, int k, const char *text)
{
	struct login_view *v = p;

	build(v);
	if (k == K_ESC || k == K_F1 ||
	    (k < K_SPACE && k != K_TAB && k != K_ENTER && k != K_CTRL('u') && k != K_CTRL('w') && k != K_CTRL('a') &&
	     k != K_CTRL('e') && k != K_CTRL('d') && k != K_CTRL('h')))
		return false;
	if (v->busy)
		return true;
	switch (form_key(&v->form, k, text)) {
	case FORM_PRESSED:
		if (v->form.items[v->form.focus].id == ID_CANCEL)
			a->quit = true;
		else
			sign_in(a, v, NULL);
		break;
	case FORM_CHANGED:
		v->says[0] = '\0';
		if (v->form.items[v->form.focus].id == ID_MASTER)
			v->pin[0] = '\0'; /* the key was that of another address */
		break;
	case FORM_IGNORED:
	case FORM_USED:
		break;
	}
	return true;
}

static void act(struct app *a, void *p, int command)
{
	struct login_view *v = p;

	(void)a;
	if (command == CMD_SHOW)
		v->password.shown = !v->password.shown;
}

/* The certificate is not one that we know: show its key and let the user decide. */
static void ask_trust(struct app *a, struct login_view *v, const char *pin)
{
	struct dialog *d = &a->dialog;

	str_cut(v->seen_pin, sizeof(v->seen_pin), pin);
	dialog_init(d, v->pin[0] ? "The master's key has changed" : "Unknown certificate", "Trust");
	dialog_line(d, v->pin[0] ? "Not the key that you trusted: somebody in between?"
				 : "No authority known here vouches for this master.");
	dialog_line(d, "%s", "");
	if (v->pin[0]) { /* each key has a line of its own: it must be seen whole on a narrow terminal */
		dialog_line(d, "Its key was");
		dialog_line(d, "%s", v->pin);
	}
	dialog_line(d, "%s", v->pin[0] ? "Its key is now" : "Its key is");
	dialog_line(d, "%s", pin);
	dialog_line(d, "Compare with what felloe-masterd init printed.");
	str_cut(d->type_label, sizeof(d->type_label), "Type the word trust to go on");
	str_cut(d->type_this, sizeof(d->type_this), "trust");
	d->tag = ASK_TRUST;
	dialog_open(d);
	a->drop_keys = true;
}

/* The password was right; the account wants a code of its authenticator too. */
static void ask_code(struct app *a, const struct login_view *v)
{
	struct dialog *d = &a->dialog;

	dialog_init(d, "One-time code", "Sign in");
	dialog_line(d, "%s", v->code_tried ? "▲ That code is wrong, or was used before."
					  : "This account wants a code of its authenticator,");
	dialog_line(d, "%s", v->code_tried ? "Wait for the next one (or give a recovery code)." : "or one of its recovery codes.");
	str_cut(d->ask, sizeof(d->ask), "Code");
	d->tag = ASK_CODE;
	dialog_open(d);
	a->drop_keys = true;
}

static void confirmed(struct app *a, void *p, struct dialog *d)
{
	struct login_view *v = p;

	if (d->tag == ASK_CODE) {
		sign_in(a, v, d->answer.v);
		return;
	}
	str_cut(v->pin, sizeof(v->pin), v->seen_pin);
	sign_in(a, v, NULL);
}

static void answer(struct app *a, void *p, const struct net_answer *ans)
{
	struct login_view *v = p;

	if (ans->tag != TAG_SIGN_IN)
		return;
	v->busy = false;
	if (ans->err.kind == ERR_NONE) {
		field_set(&v->password, "");
		form_focus(&v->form, ID_PASSWORD); /* all that is missing when the session ends */
		app_say(a, ST_TEXT, "Signed in as %.100s.", v->user.v);
		app_show(a, a->behind == VIEW_LOGIN || v->master.touched ? VIEW_NODES : a->behind);
		return;
	}
	if (ans->peer_pin[0]) {
		ask_trust(a, v, ans->peer_pin);
		return;
	}
	if (ans->otp_wanted) {
		ask_code(a, v);
		return;
	}
	snprintf(v->says, sizeof(v->says), "✗ %.180s", ans->err.msg);
	if (ans->err.kind == ERR_DENIED) {
		field_set(&v->password, "");
		form_focus(&v->form, ID_PASSWORD);
	}
}

static bool typing(void *p)
{
	(void)p;
	return true;
}

static const struct view_ops ops = {
	.name = "Sign in", .keys = keys, .make = make, .drop = drop, .draw = draw, .key = key, .act = act,
	.answer = answer, .confirmed = confirmed, .typing = typing, .hint = "Sign in to see the fleet.",
};

const struct view_ops *view_login(void)
{
	return &ops;
}
