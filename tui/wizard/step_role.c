/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/clock.h"
#include "shared/str.h"
#include "tui/keys.h"
#include "tui/wizard/wizard.h"

/* Step 1: managed by a master, or alone. */

enum { ID_MANAGED = 1, ID_ALONE };

static void enter(struct wizard *w)
{
	struct form_item *it;

	w->choice = w->a.managed ? 0 : 1;
	form_reset(&w->form);
	it = form_add(&w->form, ITEM_CHOICE, "Managed node      an admin approves it, the master watches; never needed", ID_MANAGED);
	it->choice = &w->choice;
	it->value = 0;
	it = form_add(&w->form, ITEM_CHOICE, "Standalone        no master; this console and the local timers only", ID_ALONE);
	it->choice = &w->choice;
	it->value = 1;
	form_focus(&w->form, w->choice ? ID_ALONE : ID_MANAGED);
}

static void draw(struct wizard *w, struct screen *s, struct rect b)
{
	char now[64];
	int y = b.y, wide = b.w < 76 ? 24 : 31;

	screen_put(s, AT(y, 3, b.w - 3), ST_BOLD, "What should this machine be?");
	form_draw(s, RECT(y + 2, 3, 2, b.w - 3), &w->form);
	screen_put(s, AT(y + 2 + (int)w->form.focus, 1, 1), ST_TEXT, ">");
	y += 6;
	screen_put(s, AT(y++, 3, b.w - 3), ST_HEAD, "Found on this machine");
	clock_format_local(now, sizeof(now), "%H:%M:%S %Z", clock_ms());
	screen_putf(s, AT(y++, 5, b.w - 5), ST_TEXT, "hostname  %-*s time  %s", wide, w->role.hostname, now);
	screen_putf(s, AT(y++, 5, b.w - 5), ST_TEXT, "system    %-*s disk  %s", wide, w->role.system, w->role.clock);
	if (w->a.old_text[0])
		screen_put(s, AT(y++, 5, b.w - 5), ST_TEXT, w->a.old_text);
	y += 2;
	screen_wrap(s, RECT(y, 3, b.y + b.h - y, b.w - 4), ST_DIM,
		    "Nothing is changed before step 6. You can leave and come back: the answers are kept, without secrets, in");
	screen_put(s, AT(y + 2, 3, b.w - 4), ST_DIM, w->a.kept_path);
}

static bool key(struct wizard *w, int k, const char *text)
{
	enum form_result r;

	/* a choice that the cursor is on is taken by going on, too */
	if (k == 'n' || k == '?')
		return false;
	r = form_key(&w->form, k == 'j' ? K_DOWN : k == 'k' ? K_UP : k, text);
	w->a.managed = w->choice == 0;
	return r != FORM_IGNORED;
}

static void poll_jobs(struct wizard *w)
{
	(void)w;
}

static bool leave(struct wizard *w)
{
	w->a.managed = w->choice == 0;
	return true;
}

static bool typing(const struct wizard *w)
{
	(void)w;
	return false;
}

const struct wizard_step_ops *step_role(void)
{
	static const struct wizard_step_ops ops = {
		.title = "Role", .enter = enter, .draw = draw, .key = key, .poll = poll_jobs, .leave = leave, .typing = typing,
		.footer = "Space/Enter Choose  n Next  F1 Help on this step  Esc Leave (answers are kept)",
		.help = "A managed node reports to a master and is approved by its admin. Its backups never need the master: "
			"when that is gone they go on, and what happened is reported later. A standalone node has no master; "
			"felloe-noded status and list show what it did.",
	};

	return &ops;
}
