# tui: bottom-up; main last
noinst_LIBRARIES += libtui.a
libtui_a_CPPFLAGS = $(AM_CPPFLAGS) $(NCURSES_CFLAGS)
libtui_a_SOURCES = \
	tui/glyph.h tui/glyph.c \
	tui/theme.h tui/theme.c \
	tui/screen.h tui/screen.c \
	tui/keys.h \
	tui/term.h tui/term.c \
	tui/keymap.h tui/keymap.c \
	tui/field.h tui/field.c \
	tui/form.h tui/form.c \
	tui/dialog.h tui/dialog.c \
	tui/chart.h tui/chart.c \
	tui/table.h tui/table.c \
	tui/list.h tui/list.c \
	tui/fmt.h tui/fmt.c \
	tui/model.h tui/model.c \
	tui/change.h tui/change.c \
	tui/alert.h tui/alert.c \
	tui/session.h tui/session.c \
	tui/fetch.h tui/fetch.c \
	tui/sse.h tui/sse.c \
	tui/live.h tui/live.c \
	tui/net.h tui/net_in.h tui/net_thread.c tui/net.c \
	tui/app.h tui/app_in.h tui/app_draw.c tui/app.c \
	tui/decide.h tui/decide.c \
	tui/request.h tui/request.c \
	tui/panels.h tui/panels.c \
	tui/node_lists.h tui/node_lists.c \
	tui/views.h \
	tui/v_login.c \
	tui/v_nodes.c \
	tui/v_approvals.c \
	tui/v_alerts.c \
	tui/v_node.c \
	tui/ui.h tui/ui.c \
	tui/cmd.h tui/cmd.c \
	tui/cmd_show.h tui/cmd_show.c \
	tui/cmd_session.c \
	tui/cmd_nodes.c \
	tui/cmd_decide.c \
	tui/cmd_runs.c \
	tui/cmd_change.c \
	tui/cmd_alerts.c \
	tui/cmd_people.c \
	tui/cmd_channels.c \
	tui/cmd_watch.c \
	tui/wizard/keep_text.h tui/wizard/keep_text.c \
	tui/wizard/answers.h tui/wizard/answers.c \
	tui/wizard/job.h tui/wizard/job.c \
	tui/wizard/wizard.h tui/wizard/wizard.c \
	tui/wizard/step_role.c \
	tui/wizard/step_master.c \
	tui/wizard/step_sites.c \
	tui/wizard/step_storages.c \
	tui/wizard/step_schedule.c \
	tui/wizard/step_review.c \
	tui/cmd_configure.h tui/cmd_configure.c
TUI_LIBS = libtui.a $(SHARED_LIBS) $(NCURSES_LIBS)

bin_PROGRAMS += felloe
felloe_SOURCES = tui/main.c
felloe_LDADD = $(TUI_LIBS)

dist_man1_MANS = man/felloe.1
