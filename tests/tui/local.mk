# unit tests of tui/: one cmocka program a module, tests/tui/test_MODULE.c, which
# includes the module's .c. Names of the programs stand one a line.
if HAVE_CMOCKA
tui_tests = \
	tests/tui/test_screen \
	tests/tui/test_form \
	tests/tui/test_table \
	tests/tui/test_session \
	tests/tui/test_sse \
	tests/tui/test_change \
	tests/tui/test_app \
	tests/tui/test_keep_text \
	tests/tui/test_answers \
	tests/tui/test_sites \
	tests/tui/test_wizard
check_PROGRAMS += $(tui_tests)
TESTS += $(tui_tests)
tests_tui_test_screen_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
tests_tui_test_form_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
tests_tui_test_table_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
tests_tui_test_session_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
tests_tui_test_sse_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
tests_tui_test_change_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
tests_tui_test_app_CPPFLAGS = $(AM_CPPFLAGS) $(GOLDEN_CPPFLAGS)
tests_tui_test_app_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
tests_tui_test_keep_text_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
tests_tui_test_answers_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
tests_tui_test_wizard_CPPFLAGS = $(AM_CPPFLAGS) $(GOLDEN_CPPFLAGS)
tests_tui_test_sites_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
tests_tui_test_wizard_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
endif

# The painted screens that tests compare with; "make goldens" writes them anew.
GOLDEN_CPPFLAGS = -DGOLDEN_DIR='"$(abs_top_srcdir)/tests/golden/screens"'
goldens: $(tui_tests)
	for t in $(tui_tests); do FELLOE_GOLDENS=write ./$$t >/dev/null || exit 1; done
.PHONY: goldens
