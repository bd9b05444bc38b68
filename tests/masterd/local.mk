# unit tests of masterd/: one cmocka program a module, tests/masterd/test_MODULE.c, which
# includes the module's .c. Names of the programs stand one a line.
if HAVE_CMOCKA
masterd_tests = \
	tests/masterd/test_jwt \
	tests/masterd/test_vault \
	tests/masterd/test_totp \
	tests/masterd/test_audit_chain \
	tests/masterd/test_bucket \
	tests/masterd/test_missed \
	tests/masterd/test_watch \
	tests/masterd/test_message \
	tests/masterd/test_notice \
	tests/masterd/test_alerts \
	tests/masterd/test_forecast \
	tests/masterd/test_route \
	tests/masterd/test_config \
	tests/masterd/test_db \
	tests/masterd/test_lease \
	tests/masterd/test_scope \
	tests/masterd/test_writer \
	tests/masterd/test_pace \
	tests/masterd/test_sample \
	tests/masterd/test_hot \
	tests/masterd/test_feed \
	tests/masterd/test_live_change \
	tests/masterd/test_roll \
	tests/masterd/test_pack \
	tests/masterd/test_auth \
	tests/masterd/test_health \
	tests/masterd/test_doc \
	tests/masterd/test_proxy
check_PROGRAMS += $(masterd_tests)
TESTS += $(masterd_tests)
tests_masterd_test_db_LDADD = $(MASTERD_LIBS) $(CMOCKA_LIBS)
tests_masterd_test_lease_LDADD = $(MASTERD_LIBS) $(CMOCKA_LIBS)
tests_masterd_test_scope_LDADD = $(MASTERD_LIBS) $(CMOCKA_LIBS)
tests_masterd_test_jwt_LDADD = $(MASTERD_LIBS) $(CMOCKA_LIBS)
tests_masterd_test_vault_LDADD = $(MASTERD_LIBS) $(CMOCKA_LIBS)
tests_masterd_test_totp_LDADD = $(MASTERD_LIBS) $(CMOCKA_LIBS)
tests_masterd_test_audit_chain_LDADD = $(MASTERD_LIBS) $(CMOCKA_LIBS)
tests_masterd_test_forecast_LDADD = $(MASTERD_LIBS) $(CMOCKA_LIBS)
tests_masterd_test_alerts_LDADD = $(MASTERD_LIBS) $(CMOCKA_LIBS)
tests_masterd_test_message_LDADD = $(MASTERD_LIBS) $(CMOCKA_LIBS)
tests_masterd_test_watch_LDADD = $(MASTERD_LIBS) $(CMOCKA_LIBS)
tests_masterd_test_notice_LDADD = $(MASTERD_LIBS) $(CMOCKA_LIBS)
tests_masterd_test_missed_LDADD = $(MASTERD_LIBS) $(CMOCKA_LIBS)
tests_masterd_test_bucket_LDADD = $(MASTERD_LIBS) $(CMOCKA_LIBS)
tests_masterd_test_route_LDADD = $(MASTERD_LIBS) $(CMOCKA_LIBS)
tests_masterd_test_config_LDADD = $(MASTERD_LIBS) $(CMOCKA_LIBS)
tests_masterd_test_sample_LDADD = $(MASTERD_LIBS) $(CMOCKA_LIBS)
tests_masterd_test_pack_LDADD = $(MASTERD_LIBS) $(CMOCKA_LIBS)
tests_masterd_test_roll_LDADD = $(MASTERD_LIBS) $(CMOCKA_LIBS)
tests_masterd_test_hot_LDADD = $(MASTERD_LIBS) $(CMOCKA_LIBS)
tests_masterd_test_feed_LDADD = $(MASTERD_LIBS) $(CMOCKA_LIBS)
tests_masterd_test_live_change_LDADD = $(MASTERD_LIBS) $(CMOCKA_LIBS)
tests_masterd_test_writer_LDADD = $(MASTERD_LIBS) $(CMOCKA_LIBS)
tests_masterd_test_pace_LDADD = $(MASTERD_LIBS) $(CMOCKA_LIBS)
tests_masterd_test_auth_LDADD = $(MASTERD_LIBS) $(CMOCKA_LIBS)
tests_masterd_test_health_LDADD = $(MASTERD_LIBS) $(CMOCKA_LIBS)
tests_masterd_test_proxy_LDADD = $(MASTERD_LIBS) $(CMOCKA_LIBS)
tests_masterd_test_doc_LDADD = $(MASTERD_LIBS) $(CMOCKA_LIBS)
# writes the history that bench/history.sh measures
check_PROGRAMS += tests/masterd/history_tool
tests_masterd_history_tool_LDADD = $(MASTERD_LIBS)
# the node's half of a pairing, for tests/e2e/master-*.sh
check_PROGRAMS += tests/e2e/pair
tests_e2e_pair_SOURCES = tests/e2e/pair.c
tests_e2e_pair_LDADD = $(SHARED_LIBS)
endif
# fuzz targets: a short run of each, always the same, and what a real fuzzer needs
EXTRA_DIST += tests/fuzz/libfuzzer.c
smoke_tests = \
	tests/fuzz/smoke_request \
	tests/fuzz/smoke_json \
	tests/fuzz/smoke_jwt \
	tests/fuzz/smoke_wire \
	tests/fuzz/smoke_pack \
	tests/fuzz/smoke_proxy \
	tests/fuzz/smoke_sse
check_PROGRAMS += $(smoke_tests)
TESTS += $(smoke_tests)
tests_fuzz_smoke_request_SOURCES = tests/fuzz/fuzz.h tests/fuzz/smoke.c tests/fuzz/fuzz_request.c
tests_fuzz_smoke_request_LDADD = $(MASTERD_LIBS)
tests_fuzz_smoke_json_SOURCES = tests/fuzz/fuzz.h tests/fuzz/smoke.c tests/fuzz/fuzz_json.c
tests_fuzz_smoke_json_LDADD = $(SHARED_LIBS)
tests_fuzz_smoke_jwt_SOURCES = tests/fuzz/fuzz.h tests/fuzz/smoke.c tests/fuzz/fuzz_jwt.c
tests_fuzz_smoke_jwt_LDADD = $(MASTERD_LIBS)
tests_fuzz_smoke_wire_SOURCES = tests/fuzz/fuzz.h tests/fuzz/smoke.c tests/fuzz/fuzz_wire.c
tests_fuzz_smoke_wire_LDADD = $(SHARED_LIBS)
tests_fuzz_smoke_pack_SOURCES = tests/fuzz/fuzz.h tests/fuzz/smoke.c tests/fuzz/fuzz_pack.c
tests_fuzz_smoke_pack_LDADD = $(MASTERD_LIBS)
tests_fuzz_smoke_proxy_SOURCES = tests/fuzz/fuzz.h tests/fuzz/smoke.c tests/fuzz/fuzz_proxy.c
tests_fuzz_smoke_proxy_LDADD = $(MASTERD_LIBS)
tests_fuzz_smoke_sse_SOURCES = tests/fuzz/fuzz.h tests/fuzz/smoke.c tests/fuzz/fuzz_sse.c
tests_fuzz_smoke_sse_LDADD = $(TUI_LIBS)
