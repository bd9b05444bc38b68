# masterd: bottom-up; main last
noinst_LIBRARIES += libmasterd.a
libmasterd_a_CPPFLAGS = $(AM_CPPFLAGS) $(MHD_CFLAGS) $(ZSTD_CFLAGS) $(CRYPTO_CFLAGS) $(LIBPQ_CFLAGS)
libmasterd_a_SOURCES = \
	masterd/proxy.h masterd/proxy.c \
	masterd/config.h masterd/config.c \
	masterd/selfsign.h masterd/selfsign.c \
	masterd/db_driver.h \
	masterd/db_sqlite.h masterd/db_sqlite.c \
	masterd/db_pg.h
if HAVE_LIBPQ
libmasterd_a_SOURCES += \
	masterd/db_pg_conn.h masterd/db_pg_conn.c \
	masterd/db_pg_schema.h masterd/db_pg_schema.c \
	masterd/db_pg.c
endif
libmasterd_a_SOURCES += \
	masterd/schema.h masterd/schema.c \
	masterd/db.h masterd/db.c \
	masterd/db_copy.h masterd/db_copy.c \
	masterd/ticket.h \
	masterd/pace.h masterd/pace.c \
	masterd/writer.h masterd/writer.c \
	masterd/pwq.h masterd/pwq.c \
	masterd/bucket.h masterd/bucket.c \
	masterd/jwt.h masterd/jwt.c \
	masterd/vault.h masterd/vault.c \
	masterd/tbl_event.h masterd/tbl_event.c \
	masterd/tbl_audit.h masterd/tbl_audit.c \
	masterd/audit_chain.h masterd/audit_chain.c \
	masterd/tbl_once.h masterd/tbl_once.c \
	masterd/tbl_lease.h masterd/tbl_lease.c \
	masterd/scope.h masterd/scope.c \
	masterd/tbl_user.h masterd/tbl_user.c \
	masterd/totp.h masterd/totp.c \
	masterd/tbl_recovery.h masterd/tbl_recovery.c \
	masterd/tbl_token.h masterd/tbl_token.c \
	masterd/tbl_session.h masterd/tbl_session.c \
	masterd/auth.h masterd/auth.c \
	masterd/req.h masterd/req.c \
	masterd/svc_audit.h masterd/svc_audit.c \
	masterd/tbl_node.h masterd/tbl_node.c \
	masterd/tbl_join.h masterd/tbl_join.c \
	masterd/tbl_join_token.h masterd/tbl_join_token.c \
	masterd/sample.h masterd/sample.c \
	masterd/zip.h masterd/zip.c \
	masterd/pack.h masterd/pack.c \
	masterd/roll.h masterd/roll.c \
	masterd/hot.h masterd/hot.c \
	masterd/tbl_sample.h masterd/tbl_sample.c \
	masterd/tbl_run.h masterd/tbl_run.c \
	masterd/tbl_alert.h masterd/tbl_alert.c \
	masterd/tbl_channel.h masterd/tbl_channel.c \
	masterd/notice.h masterd/notice.c \
	masterd/message.h masterd/message.c \
	masterd/channel_form.h masterd/channel_form.c \
	masterd/tbl_expected.h masterd/tbl_expected.c \
	masterd/missed.h masterd/missed.c \
	masterd/tbl_request.h masterd/tbl_request.c \
	masterd/health.h masterd/health.c \
	masterd/watch.h masterd/watch.c \
	masterd/live_put.h masterd/live_put.c \
	masterd/live_change.h masterd/live_change.c \
	masterd/live.h masterd/live_in.h masterd/live_key.c masterd/live_ask.c masterd/live.c \
	masterd/feed.h masterd/feed.c \
	masterd/wait.h masterd/wait.c \
	masterd/metrics.h masterd/metrics.c \
	masterd/master.h \
	masterd/svc_user.h masterd/svc_user.c \
	masterd/svc_once.h masterd/svc_once.c \
	masterd/svc_token.h masterd/svc_token.c \
	masterd/svc_lead.h masterd/svc_lead.c \
	masterd/svc_secret.h masterd/svc_secret.c \
	masterd/svc_enrol.h masterd/svc_enrol.c \
	masterd/svc_node.h masterd/svc_node.c \
	masterd/svc_request.h masterd/svc_request.c \
	masterd/svc_ingest.h masterd/svc_ingest.c \
	masterd/svc_history.h masterd/svc_history.c \
	masterd/svc_feed.h masterd/svc_feed.c \
	masterd/svc_pack.h masterd/svc_pack.c \
	masterd/svc_follow.h masterd/svc_follow.c \
	masterd/svc_expect.h masterd/svc_expect.c \
	masterd/forecast.h masterd/forecast.c \
	masterd/svc_forecast.h masterd/svc_forecast.c \
	masterd/alert_round.h masterd/alert_round.c \
	masterd/svc_alerts.h masterd/svc_alerts.c \
	masterd/svc_notify.h masterd/svc_notify.c \
	masterd/svc_ack.h masterd/svc_ack.c \
	masterd/jobs.h masterd/jobs.c \
	masterd/api.h masterd/api.c \
	masterd/api_root.h masterd/api_root.c \
	masterd/api_session.h masterd/api_session.c \
	masterd/api_auth.h masterd/api_auth.c \
	masterd/api_account.h masterd/api_account.c \
	masterd/api_users.h masterd/api_users.c \
	masterd/api_tokens.h masterd/api_tokens.c \
	masterd/api_audit.h masterd/api_audit.c \
	masterd/api_join.h masterd/api_join.c \
	masterd/api_join_token.h masterd/api_join_token.c \
	masterd/api_manage.h masterd/api_manage.c \
	masterd/api_requests.h masterd/api_requests.c \
	masterd/api_nodes.h masterd/api_nodes.c \
	masterd/api_stats.h masterd/api_stats.c \
	masterd/api_runs.h masterd/api_runs.c \
	masterd/api_events.h masterd/api_events.c \
	masterd/api_alerts.h masterd/api_alerts.c \
	masterd/api_channels.h masterd/api_channels.c \
	masterd/doc.h \
	masterd/doc_people.h masterd/doc_people.c \
	masterd/doc_fleet.h masterd/doc_fleet.c \
	masterd/doc_alerts.h masterd/doc_alerts.c \
	masterd/doc_enrol.h masterd/doc_enrol.c \
	masterd/doc.c \
	masterd/route.h \
	masterd/openapi_shape.h masterd/openapi_shape.c \
	masterd/openapi.h masterd/openapi.c \
	masterd/api_metrics.h masterd/api_metrics.c \
	masterd/route.c \
	masterd/listen.h masterd/listen.c \
	masterd/httpd.h masterd/httpd_in.h masterd/httpd_peer.c masterd/httpd_reply.c masterd/httpd_call.c masterd/httpd.c \
	masterd/cmd.h masterd/cmd.c \
	masterd/cmd_user.c \
	masterd/cmd_audit.c \
	masterd/cmd_init.c \
	masterd/cmd_check.c \
	masterd/cmd_backup.c \
	masterd/cmd_migrate.c \
	masterd/cmd_routes.c \
	masterd/cmd_run.c
MASTERD_LIBS = libmasterd.a $(SHARED_LIBS) $(MHD_LIBS) $(ZSTD_LIBS) $(LIBPQ_LIBS)

sbin_PROGRAMS += felloe-masterd
felloe_masterd_SOURCES = masterd/main.c
felloe_masterd_LDADD = $(MASTERD_LIBS)
dist_man8_MANS = man/felloe-masterd.8
dist_man5_MANS = man/felloe-master.json.5
