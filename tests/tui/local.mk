# unit tests of tui/: one cmocka program a module, tests/tui/test_MODULE.c, which
# includes the module's .c. Names of the programs stand one a line.
if HAVE_CMOCKA
tui_tests = \
	tests/tui/test_screen \
	tests/tui/test_form \
	tests/tui/test_table \
	tests/tui/test_answers
check_PROGRAMS += $(tui_tests)
TESTS += $(tui_tests)
tests_tui_test_screen_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
tests_tui_test_form_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
tests_tui_test_table_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
tests_tui_test_answers_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
endif
