/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/app.c"

#include <ctype.h>
#include <locale.h>
#include <stdlib.h>
#include <time.h>

#include "tests/tui/golden.h"
#include "tests/tui/fleet.h"
#include "tui/views.h"

/* The console without a terminal and without a master: fixed data in, pictures
 * and requests out. */

static struct app app;
static struct screen screen;
static struct {
	struct net_ask last;
	struct net_sign_in sign_in;
	int gets, changes, sign_ins, retries;
} sent;

static void on_ask(void *ctx, const struct net_ask *ask)
{
	(void)ctx;
	sent.last = *ask;
	if (strcmp(ask->method, "GET") == 0)
		sent.gets++;
	else
		sent.changes++;
}

static void on_sign_in(void *ctx, const struct net_sign_in *s)
{
	(void)ctx;
	sent.sign_in = *s;
	sent.sign_ins++;
}

static void on_retry(void *ctx)
{
	(void)ctx;
	sent.retries++;
}

static void link_is(enum net_link link)
{
	struct net_state s = {.link = link, .last_ok = FLEET_NOW - 1000, .tries = 1, .events = link == NET_LIVE};

	str_cut(s.master, sizeof(s.master), "https://master.example.net");
	str_cut(s.user, sizeof(s.user), "admin");
	str_cut(s.role, sizeof(s.role), "super_admin");
	if (link == NET_LOST) {
		str_cut(s.why, sizeof(s.why), "master.example.net:443: connection refused");
		s.lost_at = FLEET_NOW - 42000;
		s.last_ok = FLEET_NOW - 43000;
		s.retry_at = app.mono + 8000;
		s.tries = 4;
	}
	app_link(&app, &s);
}

static void start(enum view_id view, bool nodes)
{
	struct app_remote remote = {NULL, on_ask, on_sign_in, on_retry};

	memset(&sent, 0, sizeof(sent));
	app_init(&app, &remote);
	app_view(&app, VIEW_LOGIN, view_login());
	app_view(&app, VIEW_NODES, view_nodes());
	app_view(&app, VIEW_APPROVALS, view_approvals());
	app_view(&app, VIEW_ALERTS, view_alerts());
	app_view(&app, VIEW_NODE, view_node());
	app.view = view;
	app_clock(&app, FLEET_NOW, 1000000);
	screen_init(&screen, GLYPHS_FULL);
	link_is(NET_LIVE);
	app_data(&app, fleet_nodes(nodes), NULL, NULL);
	app_draw(&app, &screen);
}

static void stop(void)
{
	app_done(&app);
	screen_done(&screen);
}

static void picture(const char *name, int rows, int cols)
{
	char file[128];

	screen_resize(&screen, rows, cols);
	app_clock(&app, app.now, app.mono);
	app_draw(&app, &screen);
	snprintf(file, sizeof(file), "%s-%dx%d", name, cols, rows);
	golden_check(&screen, file);
}

/* Both sizes that everything must fit in. */
static void pictures(const char *name)
{
	picture(name, 24, 80);
	picture(name, 15, 60);
	screen_resize(&screen, 24, 80);
	app_draw(&app, &screen);
}

static void keys_(const char *text)
{
	for (const char *p = text; *p;)
		app_key(&app, (int)utf8_next(&p), NULL);
}

static bool shows(const char *text)
{
	struct buf b;
	bool found;

	app_draw(&app, &screen);
	buf_init(&b, 1 << 20);
	screen_dump(&screen, &b, false);
	found = strstr(b.p, text) != NULL;
	if (!found)
		printf("# not there: %s\n%s", text, b.p);
	buf_done(&b);
	return found;
}

static void open_node(void)
{
	app_open_node(&app, 4);
	app_data(&app, NULL, fleet_detail(), fleet_runs());
	app_draw(&app, &screen);
}

static void the_nodes_screen(void **state)
{
	(void)state;
	start(VIEW_NODES, true);
	app_key(&app, K_DOWN, NULL);
	app_key(&app, K_SPACE, NULL);
	app_key(&app, K_SPACE, NULL);
	app_key(&app, K_HOME, NULL);
	pictures("nodes");
	picture("nodes", 40, 120);
	picture("nodes", 8, 40);
	picture("nodes-too-small", 6, 30);
	screen.glyphs = GLYPHS_ASCII;
	picture("nodes-ascii", 24, 80);
	stop();
}

static void nodes_without_nodes_and_without_data(void **state)
{
	(void)state;
	start(VIEW_NODES, false);
	pictures("nodes-empty");
	stop();
	start(VIEW_NODES, false);
	nodes_unref(app.nodes);
	app.nodes = NULL;
	pictures("nodes-loading");
	stop();
}

static void values_of_a_lost_master_are_marked_as_old(void **state)
{
	(void)state;
	start(VIEW_NODES, true);
	link_is(NET_LOST);
	pictures("nodes-offline");
	assert_true(shows("○ OFFLINE 0:42, retry in 8s (r now)"));
	assert_true(shows("~✗ FAILED"));
	keys_("r");
	assert_int_equal(sent.retries, 1);
	link_is(NET_LIVE);
	assert_true(shows("The master is back."));
	stop();
}

static void the_approvals_screen(void **state)
{
	(void)state;
	start(VIEW_APPROVALS, true);
	pictures("approvals");
	picture("approvals", 8, 40);
	stop();
	start(VIEW_APPROVALS, false);
	pictures("approvals-empty");
	stop();
}

static void approving_asks_and_sends_the_node_under_the_cursor(void **state)
{
	struct net_answer taken = {.tag = TAG_APPROVE, .id = 20, .status = 409};

	(void)state;
	start(VIEW_APPROVALS, true);
	keys_("A");
	pictures("approve");
	assert_true(shows("KELP-4821"));
	app_key(&app, K_ENTER, NULL); /* the default is no */
	assert_int_equal(sent.changes, 0);
	assert_false(app.dialog.open);
	keys_("A");
	app_key(&app, K_BACKTAB, NULL);
	app_key(&app, K_ENTER, NULL);
	assert_int_equal(sent.changes, 1);
	assert_string_equal(sent.last.method, "POST");
	assert_string_equal(sent.last.path, "/nodes/approve/20");
	assert_string_equal(sent.last.body, "{}");
	(void)err_set(&taken.err, ERR_CONFLICT, "mia approved it 4 s ago");
	app_answer(&app, &taken);
	assert_true(shows("✗ stage-01: mia approved it 4 s ago"));
	stop();
}

static void blocking_needs_a_reason_and_the_name(void **state)
{
	(void)state;
	start(VIEW_APPROVALS, true);
	keys_("X");
	keys_("wrong network");
	app_key(&app, K_TAB, NULL);
	keys_("stage-");
	pictures("block");
	link_is(NET_LOST);
	pictures("block-offline");
	link_is(NET_LIVE);
	keys_("01");
	app_key(&app, K_TAB, NULL);
	app_key(&app, K_ENTER, NULL);
	assert_int_equal(sent.changes, 1);
	assert_string_equal(sent.last.path, "/nodes/block/20");
	assert_string_equal(sent.last.body, "{\"reason\":\"wrong network\"}");
	stop();
}

static void a_name_that_nobody_can_type_is_blocked_by_its_number(void **state)
{
	(void)state;
	start(VIEW_APPROVALS, true);
	((struct node *)(uintptr_t)nodes_find(app.nodes, 20))->name = "ev?il ノード";
	keys_("X");
	assert_true(shows("Type its number, 20, to go on"));
	keys_("strange name");
	app_key(&app, K_TAB, NULL);
	keys_("20");
	app_key(&app, K_TAB, NULL);
	app_key(&app, K_ENTER, NULL);
	assert_int_equal(sent.changes, 1);
	assert_string_equal(sent.last.path, "/nodes/block/20");
	stop();
}

static void a_session_that_ends_closes_its_question_and_comes_back_where_it_was(void **state)
{
	struct net_answer in = {.tag = TAG_SIGN_IN};

	(void)state;
	start(VIEW_APPROVALS, true);
	view_login_set(app.views[VIEW_LOGIN], "https://master.example.net", "admin", "");
	keys_("X");
	assert_true(app.dialog.open);
	link_is(NET_EXPIRED);
	assert_false(app.dialog.open);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(app.view, VIEW_LOGIN);
		app_draw(&app, &screen);
		keys_("secret word"); /* the password is what has the focus, each time */
		app_key(&app, K_ENTER, NULL);
		assert_int_equal(sent.sign_ins, round + 1);
		assert_string_equal(sent.sign_in.password, "secret word");
		app_answer(&app, &in);
		link_is(NET_LIVE);
		assert_int_equal(app.view, VIEW_APPROVALS);
		link_is(NET_EXPIRED);
	}
	assert_int_equal(sent.changes, 0);
	stop();
}

static void what_is_some_minutes_old_fits_its_column(void **state)
{
	char text[FMT_TEXT];

	(void)state;
	assert_string_equal(fmt_ago(text, FLEET_NOW - 7 * MINUTE - 44000, FLEET_NOW), " 7m ago");
	assert_string_equal(fmt_ago(text, FLEET_NOW - 59000, FLEET_NOW), "59s ago");
	assert_string_equal(fmt_ago(text, FLEET_NOW - 3 * HOUR - 10 * MINUTE, FLEET_NOW), " 3h10 ago");
	assert_string_equal(fmt_ago(text, 0, FLEET_NOW), "never");
}

static void a_name_that_is_taken_needs_a_new_one(void **state)
{
	(void)state;
	start(VIEW_APPROVALS, true);
	app_key(&app, K_DOWN, NULL);
	keys_("A");
	assert_true(shows("another node has this name"));
	keys_("web-09.fra");
	app_key(&app, K_TAB, NULL);
	app_key(&app, K_ENTER, NULL);
	assert_string_equal(sent.last.path, "/nodes/approve/21");
	assert_string_equal(sent.last.body, "{\"name\":\"web-09.fra\"}");
	stop();
}

static void the_pages_of_a_node(void **state)
{
	struct net_answer series = {.tag = TAG_SERIES, .id = 4, .status = 200};

	(void)state;
	start(VIEW_NODES, true);
	open_node();
	app_clock(&app, FLEET_NOW, 1000000);
	assert_string_equal(sent.last.path, "/nodes/4/stats?from=2026-11-23T12:39:22Z&step=15");
	pictures("node-loading");
	series.json = fleet_series();
	app_answer(&app, &series);
	pictures("node");
	keys_("2");
	pictures("node-timers");
	keys_("3");
	app_key(&app, K_DOWN, NULL);
	pictures("node-runs");
	for (int i = 0; i < 4; i++)
		app_key(&app, K_DOWN, NULL);
	assert_true(shows("Suspect    table wp_posts has 12 rows"));
	for (int i = 0; i < 6; i++)
		app_key(&app, K_DOWN, NULL);
	pictures("node-runs-pruned");
	keys_("V");
	assert_true(shows("This run was pruned: nothing of it is left to verify."));
	stop();
}

/* Every state of a node is told by a word, never by colour alone. */
static void monochrome_tells_every_state(void **state)
{
	static const char *const words[] = {"FAILED", "warn", "offline", "62%", "paused", "waiting", "ok"};

	(void)state;
	start(VIEW_NODES, true);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		assert_true(shows(words[i]));
	stop();
}

static void the_filter_is_typed_live_and_esc_empties_it(void **state)
{
	(void)state;
	start(VIEW_NODES, true);
	keys_("/web q");
	assert_false(app.quit);
	assert_true(shows("none of 15"));
	app_key(&app, K_BACKSPACE, NULL);
	app_key(&app, K_BACKSPACE, NULL);
	assert_true(shows("5, 15 in all"));
	app_key(&app, K_ENTER, NULL);
	pictures("nodes-filtered");
	app_key(&app, K_ESC, NULL);
	assert_true(shows("of 15"));
	assert_false(shows("in all"));
	app_key(&app, K_PASTE, "AX");
	assert_true(shows("What was pasted is ignored"));
	assert_int_equal(sent.changes, 0);
	stop();
}

static void sign_in(void **state)
{
	struct net_answer no = {.tag = TAG_SIGN_IN, .status = 401}, unknown = {.tag = TAG_SIGN_IN};
	struct net_answer yes = {.tag = TAG_SIGN_IN, .status = 200};

	(void)state;
	start(VIEW_LOGIN, false);
	view_login_set(app.views[VIEW_LOGIN], "https://master.example.net", "admin", NULL);
	pictures("login");
	keys_("secret");
	app_key(&app, K_ENTER, NULL);
	assert_int_equal(sent.sign_ins, 1);
	assert_string_equal(sent.sign_in.password, "secret");
	(void)err_set(&no.err, ERR_DENIED, "Wrong user or password.");
	app_answer(&app, &no);
	pictures("login-wrong");
	keys_("better");
	app_key(&app, K_ENTER, NULL);
	assert_string_equal(sent.sign_in.user, "admin");
	assert_string_equal(sent.sign_in.password, "better");
	(void)err_set(&unknown.err, ERR_NET, "the certificate is not trusted");
	str_cut(unknown.peer_pin, sizeof(unknown.peer_pin), "sha256//P5oHwa8uQWnDq0nGvOQ2bZ1mJ5y7kZL1xNnD0mE3Jx8=");
	app_answer(&app, &unknown);
	pictures("login-trust");
	keys_("trust");
	app_key(&app, K_TAB, NULL);
	app_key(&app, K_ENTER, NULL);
	assert_int_equal(sent.sign_ins, 3);
	assert_string_equal(sent.sign_in.pin, unknown.peer_pin);
	app_answer(&app, &yes);
	assert_int_equal(app.view, VIEW_NODES);
	stop();
}

static void help_and_log_lie_over_the_screen(void **state)
{
	(void)state;
	start(VIEW_NODES, true);
	keys_("?");
	pictures("nodes-help");
	keys_("x");
	keys_("Y");
	assert_true(shows("Y does nothing here, ? lists keys."));
	keys_("m");
	assert_true(shows("Messages of this session"));
	keys_("q");
	assert_false(app.quit);
	keys_("q");
	assert_true(app.quit);
	stop();
}

static const enum view_id all_views[] = {VIEW_LOGIN, VIEW_NODES, VIEW_APPROVALS, VIEW_ALERTS, VIEW_NODE};

/* Lower case and everything but confirmed capitals sends nothing but GET. */
static void no_key_changes_anything_without_a_confirmed_capital(void **state)
{
	(void)state;
	for (size_t i = 1; i < ARRAY_LEN(all_views); i++) {
		for (int key = 1; key < K_OTHER; key = key == 126 ? K_UP : key + 1) {
			if (key == 'm' || key == '?' || key == K_F1)
				continue;
			start(VIEW_NODES, true);
			open_node();
			app_show(&app, all_views[i]);
			app_key(&app, key, "pasted");
			assert_true(!app.dialog.open || isupper(key));
			app_key(&app, K_ENTER, NULL);
			assert_int_equal(sent.changes, 0);
			stop();
		}
	}
}

static bool in_help(const struct view_ops *ops, int key)
{
	const struct binding *b = keymap_find(ops->keys, common_keys, key);

	return b && b->help;
}

static void every_key_of_the_footer_is_in_the_help_and_bound_once(void **state)
{
	(void)state;
	start(VIEW_NODES, true);
	for (size_t i = 0; i < ARRAY_LEN(all_views); i++) {
		const struct view_ops *ops = app.ops[all_views[i]];

		for (const struct binding *b = ops->keys; b->key; b++) {
			if (b->label)
				assert_true(in_help(ops, b->key));
			if (b->changes)
				assert_true(isupper(b->key));
			for (const struct binding *c = ops->keys; c < b; c++)
				assert_int_not_equal(c->key, b->key);
		}
	}
	for (const struct binding *b = common_keys; b->key; b++)
		assert_false(b->changes);
	stop();
}

static void a_viewer_and_read_only_may_look_but_not_touch(void **state)
{
	(void)state;
	start(VIEW_APPROVALS, true);
	app.read_only = true;
	keys_("A");
	assert_false(app.dialog.open);
	assert_true(shows("--read-only"));
	app.read_only = false;
	str_cut(app.link.role, sizeof(app.link.role), "viewer");
	keys_("X");
	assert_false(app.dialog.open);
	assert_true(shows("Needs: node_admin"));
	stop();
}

static void texts_of_strangers_cannot_reach_the_terminal(void **state)
{
	static const char text[] = "[{\"id\":1,\"name\":\"a\\u001b[2Jb\\u202ec\",\"state\":\"active\",\"health\":\"ok\"}]";
	struct json *j = NULL;
	struct page *p = NULL;
	struct err e;

	(void)state;
	assert_int_equal(json_parse(&j, text, sizeof(text) - 1, &e), 0);
	assert_int_equal(page_from(&p, j, &e), 0);
	assert_null(strchr(p->v[0].name, '\033'));
	assert_null(strstr(p->v[0].name, "\xE2\x80\xAE"));
	page_unref(p);
	json_free(j);
}

static void an_account_with_one_time_codes_is_asked_for_one(void **state)
{
	struct net_answer wanted = {.tag = TAG_SIGN_IN, .status = 401, .otp_wanted = true};

	(void)state;
	start(VIEW_LOGIN, false);
	(void)err_set(&wanted.err, ERR_DENIED, "a one-time code is needed");
	view_login_set(app.views[VIEW_LOGIN], "https://master.example.net", "admin", NULL);
	keys_("secret");
	app_key(&app, K_ENTER, NULL);
	while (!sent.sign_ins)
		app_key(&app, K_ENTER, NULL);
	assert_string_equal(sent.sign_in.otp, "");
	app_answer(&app, &wanted);
	pictures("login-code");
	keys_("492039");
	app_key(&app, K_TAB, NULL);
	app_key(&app, K_ENTER, NULL);
	assert_int_equal(sent.sign_ins, 2);
	assert_string_equal(sent.sign_in.otp, "492039");
	assert_string_equal(sent.sign_in.password, "secret");
	app_answer(&app, &wanted);
	assert_true(shows("▲ That code is wrong, or was used before."));
	stop();
}

static void told(enum net_tag tag, const char *answer)
{
	struct net_answer ans = {.tag = tag, .id = 4, .status = 200};
	struct err e;

	assert_int_equal(json_parse(&ans.json, answer, strlen(answer), &e), 0);
	app_answer(&app, &ans);
}

#define ASKED "3b241101-e2bb-4255-8caf-4136c566a962"
static void a_node_is_asked_and_what_it_says_is_told(void **state)
{
	struct net_answer no = {.tag = TAG_REQUEST, .id = 4, .status = 409};

	(void)state;
	start(VIEW_NODES, true);
	open_node();
	keys_("B");
	pictures("node-ask-backup");
	app_key(&app, K_ENTER, NULL);
	assert_int_equal(sent.changes, 0);
	keys_("B");
	app_key(&app, K_BACKTAB, NULL);
	app_key(&app, K_ENTER, NULL);
	assert_int_equal(sent.changes, 1);
	assert_string_equal(sent.last.path, "/nodes/4/requests");
	assert_string_equal(sent.last.body, "{\"verb\":\"backup\"}");
	told(TAG_REQUEST, "{\"id\":\"" ASKED "\",\"verb\":\"backup\",\"state\":\"pending\",\"reason\":null}");
	assert_true(shows("… backup: web-02.fra is asked with its next report."));
	app_clock(&app, app.now + 3000, app.mono + 3000);
	assert_string_equal(sent.last.path, "/nodes/4/requests/" ASKED);
	assert_string_equal(sent.last.method, "GET");
	told(TAG_REQUEST_STATE, "{\"id\":\"" ASKED "\",\"verb\":\"backup\",\"state\":\"refused\","
				"\"reason\":\"not in allow_requests\"}");
	assert_true(shows("✗ backup: web-02.fra refused: not in allow_requests."));
	sent.gets = 0;
	app_clock(&app, app.now + 3000, app.mono + 3000);
	assert_true(sent.gets == 0 || sent.last.tag == TAG_SERIES);
	keys_("2P");
	app_key(&app, K_BACKTAB, NULL);
	app_key(&app, K_ENTER, NULL);
	assert_non_null(strstr(sent.last.body, "{\"verb\":\"pause\",\"timer\":\""));
	(void)err_set(&no.err, ERR_CONFLICT, "20 requests wait for this node already");
	app_answer(&app, &no);
	assert_true(shows("✗ pause: 20 requests wait for this node already"));
	stop();
}

static void the_alerts_screen(void **state)
{
	(void)state;
	start(VIEW_ALERTS, true);
	assert_true(shows("This master has not told of any alerts."));
	app_alerts(&app, fleet_alerts(false));
	pictures("alerts");
	picture("alerts", 40, 120);
	picture("alerts", 8, 40);
	screen_resize(&screen, 24, 80);
	assert_true(shows("3 Alerts·2"));
	assert_true(shows("2 alerts"));
	stop();
}

static void the_alerts_are_held_while_somebody_reads(void **state)
{
	(void)state;
	start(VIEW_ALERTS, true);
	app_alerts(&app, fleet_alerts(false));
	app_key(&app, K_DOWN, NULL);
	app_alerts(&app, fleet_alerts(true));
	assert_true(shows("‖ list held while you read: 2 new"));
	assert_true(shows("> "));
	pictures("alerts-held");
	app_key(&app, 'G', NULL);
	assert_true(shows("mail.example.net"));
	assert_true(shows("filter: (none)"));
	app_key(&app, K_DOWN, NULL);
	keys_("1");
	app_alerts(&app, fleet_alerts(true));
	keys_("3");
	assert_true(shows("1-5 of 5"));
	stop();
}

static void acknowledging_asks_and_snoozing_asks_how_long(void **state)
{
	(void)state;
	start(VIEW_ALERTS, true);
	app_alerts(&app, fleet_alerts(false));
	app_key(&app, 'K', NULL);
	app_draw(&app, &screen);
	pictures("alert-ack");
	app_key(&app, K_ENTER, NULL);
	assert_int_equal(sent.changes, 0);
	app_key(&app, 'K', NULL);
	app_draw(&app, &screen);
	app_key(&app, K_BACKTAB, NULL);
	app_key(&app, K_ENTER, NULL);
	assert_int_equal(sent.changes, 1);
	assert_string_equal(sent.last.method, "POST");
	assert_string_equal(sent.last.path, "/alerts/3/ack");
	assert_string_equal(sent.last.body, "");
	app_answer(&app, &(struct net_answer){.tag = TAG_ACK, .id = 3, .status = 200});
	assert_true(shows("✓ db-01.fra: backup failed is acknowledged."));
	app_key(&app, 'Z', NULL);
	pictures("alert-snooze");
	app_key(&app, K_TAB, NULL);
	app_key(&app, K_ENTER, NULL);
	assert_string_equal(sent.last.path, "/alerts/3/snooze");
	assert_string_equal(sent.last.body, "{\"for_s\":14400}");
	app_key(&app, 'Z', NULL);
	keys_("x");
	app_key(&app, K_TAB, NULL);
	app_key(&app, K_ENTER, NULL);
	assert_int_equal(sent.changes, 2);
	assert_true(shows("\"4hx\" is no span of time"));
	app_key(&app, 'U', NULL);
	assert_true(shows("It is open"));
	stop();
}

static void an_alert_opens_its_node_and_esc_comes_back(void **state)
{
	(void)state;
	start(VIEW_ALERTS, true);
	app_alerts(&app, fleet_alerts(false));
	app_key(&app, K_ENTER, NULL);
	assert_int_equal(app.view, VIEW_NODE);
	assert_int_equal(app.want.node, 1);
	app_key(&app, K_ESC, NULL);
	assert_int_equal(app.view, VIEW_ALERTS);
	keys_("/legacy");
	assert_true(shows("1-1 of 1"));
	app_key(&app, K_ESC, NULL);
	assert_true(shows("1-3 of 3"));
	stop();
}

static void changes_go_into_the_screen_that_is_shown(void **state)
{
	static const char text[] = "{\"items\":[{\"id\":13,\"name\":\"aaa-new\",\"state\":\"active\",\"health\":\"failed\"}],"
				   "\"samples\":[{\"id\":5,\"sample\":{\"cpu_usage\":77,\"disk_usage\":78}}],\"gone\":[2]}";
	struct change *c = NULL;
	struct err e;

	(void)state;
	start(VIEW_NODES, true);
	assert_true(shows("shop-03.ams"));
	assert_int_equal(change_from(&c, text, sizeof(text) - 1, &e), 0);
	app_change(&app, c);
	assert_true(shows(" > db-01.fra"));
	assert_true(shows("aaa-new             ✗ FAILED"));
	assert_true(shows("77%"));
	assert_true(shows("14 nodes"));
	stop();
}

static void the_title_says_whether_changes_are_told_or_asked_for(void **state)
{
	struct net_state s;

	(void)state;
	start(VIEW_NODES, true);
	s = app.link;
	assert_true(shows("● live  "));
	s.last_ok = FLEET_NOW - 30000;
	app_link(&app, &s);
	assert_true(shows("◐ silent 30s"));
	s.events = false;
	s.every_ms = 15000;
	app_link(&app, &s);
	assert_true(shows("● every 15s"));
	s.last_ok = FLEET_NOW - 50000;
	app_link(&app, &s);
	assert_true(shows("◐ slow 50s"));
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_nodes_screen),
		cmocka_unit_test(nodes_without_nodes_and_without_data),
		cmocka_unit_test(values_of_a_lost_master_are_marked_as_old),
		cmocka_unit_test(the_approvals_screen),
		cmocka_unit_test(approving_asks_and_sends_the_node_under_the_cursor),
		cmocka_unit_test(blocking_needs_a_reason_and_the_name),
		cmocka_unit_test(a_name_that_nobody_can_type_is_blocked_by_its_number),
		cmocka_unit_test(a_session_that_ends_closes_its_question_and_comes_back_where_it_was),
		cmocka_unit_test(what_is_some_minutes_old_fits_its_column),
		cmocka_unit_test(a_name_that_is_taken_needs_a_new_one),
		cmocka_unit_test(the_pages_of_a_node),
		cmocka_unit_test(monochrome_tells_every_state),
		cmocka_unit_test(an_account_with_one_time_codes_is_asked_for_one),
		cmocka_unit_test(a_node_is_asked_and_what_it_says_is_told),
		cmocka_unit_test(the_alerts_screen),
		cmocka_unit_test(the_alerts_are_held_while_somebody_reads),
		cmocka_unit_test(acknowledging_asks_and_snoozing_asks_how_long),
		cmocka_unit_test(an_alert_opens_its_node_and_esc_comes_back),
		cmocka_unit_test(changes_go_into_the_screen_that_is_shown),
		cmocka_unit_test(the_title_says_whether_changes_are_told_or_asked_for),
		cmocka_unit_test(the_filter_is_typed_live_and_esc_empties_it),
		cmocka_unit_test(sign_in),
		cmocka_unit_test(help_and_log_lie_over_the_screen),
		cmocka_unit_test(no_key_changes_anything_without_a_confirmed_capital),
		cmocka_unit_test(every_key_of_the_footer_is_in_the_help_and_bound_once),
		cmocka_unit_test(a_viewer_and_read_only_may_look_but_not_touch),
		cmocka_unit_test(texts_of_strangers_cannot_reach_the_terminal),
	};

	if (!setlocale(LC_ALL, "C.UTF-8"))
		return 77;
	setenv("TZ", "CET-1", 1);
	tzset();
	return cmocka_run_group_tests_name("app", tests, NULL, NULL);
}
