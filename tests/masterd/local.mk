# unit tests of masterd/: one cmocka program a module, tests/masterd/test_MODULE.c, which
# includes the module's .c. Names of the programs stand one a line.
if HAVE_CMOCKA
masterd_tests =
check_PROGRAMS += $(masterd_tests)
TESTS += $(masterd_tests)
endif
