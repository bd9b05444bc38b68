# unit tests of shared/: one cmocka program a module, tests/shared/test_MODULE.c,
# which includes the module's .c.
if HAVE_CMOCKA
shared_tests = \
	tests/shared/test_str \
	tests/shared/test_sql \
	tests/shared/test_wire \
	tests/shared/test_client
check_PROGRAMS += $(shared_tests)
TESTS += $(shared_tests)
tests_shared_test_str_LDADD = $(SHARED_LIBS) $(CMOCKA_LIBS)
tests_shared_test_sql_LDADD = $(SHARED_LIBS) $(CMOCKA_LIBS)
tests_shared_test_wire_LDADD = $(SHARED_LIBS) $(CMOCKA_LIBS)
tests_shared_test_client_LDADD = $(SHARED_LIBS) $(CMOCKA_LIBS)
endif
