# tui: bottom-up; main last
noinst_LIBRARIES += libtui.a
libtui_a_CPPFLAGS = $(AM_CPPFLAGS) $(NCURSES_CFLAGS)
libtui_a_SOURCES =
TUI_LIBS = libtui.a $(SHARED_LIBS) $(NCURSES_LIBS)

# bin_PROGRAMS += felloe
# felloe_SOURCES = tui/main.c
# felloe_LDADD = $(TUI_LIBS)
