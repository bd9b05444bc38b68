# unit tests of shared/: one cmocka program a module, tests/shared/test_MODULE.c,
# which includes the module's .c.
if HAVE_CMOCKA
shared_tests = \
	tests/shared/test_str \
	tests/shared/test_pin \
	tests/shared/test_http \
	tests/shared/test_mail \
	tests/shared/test_sql \
	tests/shared/test_wire \
	tests/shared/test_client \
	tests/shared/test_clock \
	tests/shared/test_units \
	tests/shared/test_pool \
	tests/shared/test_log \
	tests/shared/test_fs \
	tests/shared/test_opt \
	tests/shared/test_json \
	tests/shared/test_hash \
	tests/shared/test_crypt \
	tests/shared/test_daemon
check_PROGRAMS += $(shared_tests)
TESTS += $(shared_tests)
tests_shared_test_pin_LDADD = $(SHARED_LIBS) $(CMOCKA_LIBS)
tests_shared_test_mail_LDADD = $(SHARED_LIBS) $(CMOCKA_LIBS)
tests_shared_test_http_LDADD = $(SHARED_LIBS) $(CMOCKA_LIBS)
tests_shared_test_str_LDADD = $(SHARED_LIBS) $(CMOCKA_LIBS)
tests_shared_test_sql_LDADD = $(SHARED_LIBS) $(CMOCKA_LIBS)
tests_shared_test_wire_LDADD = $(SHARED_LIBS) $(CMOCKA_LIBS)
tests_shared_test_client_LDADD = $(SHARED_LIBS) $(CMOCKA_LIBS)
tests_shared_test_clock_LDADD = $(SHARED_LIBS) $(CMOCKA_LIBS)
tests_shared_test_units_LDADD = $(SHARED_LIBS) $(CMOCKA_LIBS)
tests_shared_test_pool_LDADD = $(SHARED_LIBS) $(CMOCKA_LIBS)
tests_shared_test_log_LDADD = $(SHARED_LIBS) $(CMOCKA_LIBS)
tests_shared_test_fs_LDADD = $(SHARED_LIBS) $(CMOCKA_LIBS)
tests_shared_test_opt_LDADD = $(SHARED_LIBS) $(CMOCKA_LIBS)
tests_shared_test_json_LDADD = $(SHARED_LIBS) $(CMOCKA_LIBS)
tests_shared_test_hash_LDADD = $(SHARED_LIBS) $(CMOCKA_LIBS)
tests_shared_test_crypt_LDADD = $(SHARED_LIBS) $(CMOCKA_LIBS)
tests_shared_test_daemon_LDADD = $(SHARED_LIBS) $(CMOCKA_LIBS)
endif
