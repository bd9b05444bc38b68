# unit tests of noded/: one cmocka program a module, tests/noded/test_MODULE.c, which
# includes the module's .c. Names of the programs stand one a line.
check_PROGRAMS += tests/noded/dump_tool
tests_noded_dump_tool_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)
tests_noded_dump_tool_LDADD = $(NODED_LIBS)
if HAVE_CMOCKA
noded_tests = \
	tests/noded/test_config \
	tests/noded/test_lock \
	tests/noded/test_server_dir \
	tests/noded/test_prove \
	tests/noded/test_catalogue \
	tests/noded/test_hooks \
	tests/noded/test_find \
	tests/noded/test_relay \
	tests/noded/test_stream \
	tests/noded/test_plausible \
	tests/noded/test_keep \
	tests/noded/test_cmd \
	tests/noded/test_lost \
	tests/noded/test_dump \
	tests/noded/test_facts \
	tests/noded/test_progress \
	tests/noded/test_mysql_schema \
	tests/noded/test_wpconfig \
	tests/noded/test_site_facts \
	tests/noded/test_sysstat \
	tests/noded/test_outbox \
	tests/noded/test_request \
	tests/noded/test_store \
	tests/noded/test_sigv4 \
	tests/noded/test_xml \
	tests/noded/test_s3 \
	tests/noded/test_pick
check_PROGRAMS += $(noded_tests)
TESTS += $(noded_tests)
tests_noded_test_config_LDADD = $(SHARED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_lock_LDADD = $(NODED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_server_dir_LDADD = $(NODED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_prove_LDADD = $(NODED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_catalogue_LDADD = $(NODED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_hooks_LDADD = $(NODED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_relay_LDADD = $(NODED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_stream_LDADD = $(NODED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_plausible_LDADD = $(NODED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_dump_LDADD = $(NODED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_facts_LDADD = $(NODED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_progress_LDADD = $(NODED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_mysql_schema_LDADD = $(NODED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_dump_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)
tests_noded_test_cmd_LDADD = $(NODED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_lost_LDADD = $(NODED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_mysql_schema_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)
tests_noded_test_keep_LDADD = $(NODED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_find_LDADD = $(NODED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_wpconfig_LDADD = $(NODED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_site_facts_LDADD = $(NODED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_sysstat_LDADD = $(SHARED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_request_LDADD = $(NODED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_outbox_LDADD = $(SHARED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_store_LDADD = $(NODED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_sigv4_LDADD = $(NODED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_xml_LDADD = $(NODED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_s3_LDADD = $(NODED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_pick_LDADD = $(NODED_LIBS) $(CMOCKA_LIBS)
endif

# hands of the end-to-end tests
check_PROGRAMS += tests/noded/store_tool
tests_noded_store_tool_LDADD = $(NODED_LIBS)
EXTRA_DIST += tests/golden/sigv4/get-object.txt tests/golden/sigv4/put-object.txt \
	tests/golden/sigv4/get-lifecycle.txt tests/golden/sigv4/list-objects.txt

# agent and timers
if HAVE_CMOCKA
agent_tests = \
	tests/noded/test_calendar \
	tests/noded/test_dropin
check_PROGRAMS += $(agent_tests)
TESTS += $(agent_tests)
tests_noded_test_calendar_LDADD = $(SHARED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_dropin_LDADD = $(NODED_LIBS) $(CMOCKA_LIBS)
endif
check_PROGRAMS += tests/noded/archive_tool
tests_noded_archive_tool_LDADD = $(NODED_LIBS)
if HAVE_CMOCKA
archive_tests = \
	tests/noded/test_tar \
	tests/noded/test_glob \
	tests/noded/test_walk \
	tests/noded/test_archive \
	tests/noded/test_frames
check_PROGRAMS += $(archive_tests)
TESTS += $(archive_tests)
tests_noded_test_tar_LDADD = $(SHARED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_glob_LDADD = $(SHARED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_walk_LDADD = $(NODED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_archive_LDADD = $(NODED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_frames_LDADD = $(NODED_LIBS) $(CMOCKA_LIBS)
endif


# the dumper and the loader
EXTRA_DIST += tests/e2e/mysql_objects.sql tests/e2e/fidelity.sql tests/e2e/mysql-server.sql tests/same-lib.sh tests/site-lib.sh tests/dump-lib.sh tests/schema_gen.py
if HAVE_CMOCKA
mysql_tests = \
	tests/noded/test_mysql_text \
	tests/noded/test_vieworder \
	tests/noded/test_mysql_conn \
	tests/noded/test_mysql_reader \
	tests/noded/test_mysql_keys \
	tests/noded/test_mysql_rename \
	tests/noded/test_mysql_needs \
	tests/noded/test_mysql_accounts \
	tests/noded/test_grid \
	tests/noded/test_mysql_rows
check_PROGRAMS += $(mysql_tests)
TESTS += $(mysql_tests)
tests_noded_test_vieworder_LDADD = $(NODED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_mysql_text_LDADD = $(SHARED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_mysql_conn_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)
tests_noded_test_mysql_conn_LDADD = $(NODED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_mysql_reader_LDADD = $(SHARED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_mysql_keys_LDADD = $(SHARED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_mysql_accounts_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)
tests_noded_test_mysql_accounts_LDADD = $(NODED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_mysql_needs_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)
tests_noded_test_mysql_needs_LDADD = $(NODED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_mysql_rename_LDADD = $(NODED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_grid_LDADD = $(SHARED_LIBS) $(CMOCKA_LIBS)
tests_noded_test_mysql_rows_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS) $(XXHASH_CFLAGS)
tests_noded_test_mysql_rows_LDADD = $(NODED_LIBS) $(CMOCKA_LIBS)
endif
# fuzz targets: a short run of each (tests/masterd/local.mk)
noded_fuzz = \
	tests/fuzz/smoke_archive \
	tests/fuzz/smoke_tar \
	tests/fuzz/smoke_reader \
	tests/fuzz/smoke_schema \
	tests/fuzz/smoke_rename \
	tests/fuzz/smoke_config \
	tests/fuzz/smoke_wpconfig \
	tests/fuzz/smoke_xml \
	tests/fuzz/smoke_facts \
	tests/fuzz/smoke_text
check_PROGRAMS += $(noded_fuzz)
TESTS += $(noded_fuzz)
tests_fuzz_smoke_archive_SOURCES = tests/fuzz/fuzz.h tests/fuzz/smoke.c tests/fuzz/fuzz_archive.c
tests_fuzz_smoke_archive_LDADD = $(NODED_LIBS)
tests_fuzz_smoke_tar_SOURCES = tests/fuzz/fuzz.h tests/fuzz/smoke.c tests/fuzz/fuzz_tar.c
tests_fuzz_smoke_tar_LDADD = $(NODED_LIBS)
tests_fuzz_smoke_reader_SOURCES = tests/fuzz/fuzz.h tests/fuzz/smoke.c tests/fuzz/fuzz_reader.c
tests_fuzz_smoke_reader_LDADD = $(NODED_LIBS)
tests_fuzz_smoke_schema_SOURCES = tests/fuzz/fuzz.h tests/fuzz/smoke.c tests/fuzz/fuzz_schema.c
tests_fuzz_smoke_schema_LDADD = $(NODED_LIBS)
tests_fuzz_smoke_rename_SOURCES = tests/fuzz/fuzz.h tests/fuzz/smoke.c tests/fuzz/fuzz_rename.c
tests_fuzz_smoke_rename_LDADD = $(NODED_LIBS)
tests_fuzz_smoke_config_SOURCES = tests/fuzz/fuzz.h tests/fuzz/smoke.c tests/fuzz/fuzz_config.c
tests_fuzz_smoke_config_LDADD = $(NODED_LIBS)
tests_fuzz_smoke_wpconfig_SOURCES = tests/fuzz/fuzz.h tests/fuzz/smoke.c tests/fuzz/fuzz_wpconfig.c
tests_fuzz_smoke_wpconfig_LDADD = $(NODED_LIBS)
tests_fuzz_smoke_xml_SOURCES = tests/fuzz/fuzz.h tests/fuzz/smoke.c tests/fuzz/fuzz_xml.c
tests_fuzz_smoke_xml_LDADD = $(NODED_LIBS)
tests_fuzz_smoke_facts_SOURCES = tests/fuzz/fuzz.h tests/fuzz/smoke.c tests/fuzz/fuzz_facts.c
tests_fuzz_smoke_facts_LDADD = $(NODED_LIBS)
tests_fuzz_smoke_text_SOURCES = tests/fuzz/fuzz.h tests/fuzz/smoke.c tests/fuzz/fuzz_text.c
tests_fuzz_smoke_text_LDADD = $(NODED_LIBS)
