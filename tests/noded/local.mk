# unit tests of noded/: one cmocka program a module, tests/noded/test_MODULE.c, which
# includes the module's .c. Names of the programs stand one a line.
if HAVE_CMOCKA
noded_tests =
check_PROGRAMS += $(noded_tests)
TESTS += $(noded_tests)
endif
