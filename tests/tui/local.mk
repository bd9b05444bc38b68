# unit tests of tui/: one cmocka program a module, tests/tui/test_MODULE.c, which
# includes the module's .c. Names of the programs stand one a line.
if HAVE_CMOCKA
tui_tests =
check_PROGRAMS += $(tui_tests)
TESTS += $(tui_tests)
endif
