# noded: bottom-up; main last
noinst_LIBRARIES += libnoded.a
libnoded_a_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS) $(ZSTD_CFLAGS) $(XXHASH_CFLAGS) $(EXPAT_CFLAGS) $(SYSTEMD_CFLAGS)
libnoded_a_SOURCES = \
	noded/config.h noded/config_check.h noded/config_check.c noded/config.c \
	noded/php.h noded/php.c \
	noded/wpconfig.h noded/wpconfig.c \
	noded/site.h noded/site.c \
	noded/site_facts.h noded/site_facts.c \
	noded/mysql/hot.h \
	noded/mysql/dump.h \
	noded/mysql/lib.h \
	noded/mysql/version.h noded/mysql/version.c \
	noded/mysql/sqltext.h noded/mysql/sqltext.c \
	noded/mysql/token.h noded/mysql/token.c \
	noded/mysql/rename.h noded/mysql/rename.c \
	noded/mysql/needs.h noded/mysql/needs.c \
	noded/mysql/conn.h noded/mysql/conn.c \
	noded/mysql/prologue.h noded/mysql/prologue.c \
	noded/mysql/position.h noded/mysql/position.c \
	noded/mysql/cluster.h noded/mysql/cluster.c \
	noded/mysql/begin.h noded/mysql/begin.c \
	noded/mysql/snapshot.h noded/mysql/snapshot.c \
	noded/mysql/halt.h noded/mysql/halt.c \
	noded/mysql/watch.h noded/mysql/watch.c \
	noded/mysql/locked.h noded/mysql/locked.c \
	noded/mysql/hot.c \
	noded/mysql/digest.h noded/mysql/digest.c \
	noded/mysql/columns.h noded/mysql/columns.c \
	noded/mysql/grid.h noded/mysql/grid.c \
	noded/mysql/journal.h noded/mysql/journal.c \
	noded/mysql/large.h noded/mysql/large.c \
	noded/mysql/compare.h noded/mysql/compare.c \
	noded/mysql/rows.h noded/mysql/rows.c \
	noded/mysql/vieworder.h noded/mysql/vieworder.c \
	noded/mysql/schema.h noded/mysql/schema.c \
	noded/mysql/programs.h noded/mysql/programs.c \
	noded/mysql/gate.h noded/mysql/gate.c \
	noded/mysql/tables.h noded/mysql/tables_priv.h noded/mysql/table.c noded/mysql/tables.c \
	noded/mysql/accounts.h noded/mysql/accounts.c \
	noded/mysql/grants.h noded/mysql/grants.c \
	noded/mysql/dump.c \
	noded/mysql/reader.h noded/mysql/reader.c \
	noded/mysql/load.h noded/mysql/load.c \
	noded/mysql/accounts_load.h noded/mysql/accounts_load.c \
	noded/mysql/crew.h noded/mysql/crew.c \
	noded/mysql/keys.h noded/mysql/keys.c \
	noded/mysql/repoint.h noded/mysql/repoint.c \
	noded/mysql/rights.h noded/mysql/rights.c \
	noded/mysql/swap.h noded/mysql/swap.c \
	noded/mysql/casing.h noded/mysql/casing.c \
	noded/mysql/preflight.h noded/mysql/preflight.c \
	noded/mysql/server.h noded/mysql/server.c
NODED_LIBS = libnoded.a $(SHARED_LIBS) $(MYSQL_LIBS) $(ZSTD_LIBS) $(XXHASH_LIBS) $(EXPAT_LIBS) $(SYSTEMD_LIBS)

# storages
libnoded_a_SOURCES += \
	noded/store/store.h noded/store/driver.h \
	noded/store/dir.c \
	noded/store/sigv4.h noded/store/sigv4.c \
	noded/store/xml.h noded/store/xml.c \
	noded/store/s3_call.h noded/store/s3_call.c \
	noded/store/s3_sweep.h noded/store/s3_sweep.c \
	noded/store/s3_parts.h noded/store/s3_parts.c \
	noded/store/s3_upload.h noded/store/s3_upload.c \
	noded/store/s3.c \
	noded/store/store.c \
	noded/store/pick.h noded/store/pick.c

# files and the archive
libnoded_a_SOURCES += \
	noded/files/tar.h noded/files/tar.c \
	noded/files/glob.h noded/files/glob.c \
	noded/files/owner.h noded/files/owner.c \
	noded/files/content.h noded/files/content.c \
	noded/files/walk.h noded/files/walk.c \
	noded/files/extract.h noded/files/extract.c \
	noded/archive/frames.h noded/archive/frames.c \
	noded/archive/spill.h noded/archive/spill.c \
	noded/archive/index.h noded/archive/index.c \
	noded/archive/lines.h noded/archive/lines.c \
	noded/archive/sort.h noded/archive/sort.c \
	noded/archive/writer.h noded/archive/writer.c \
	noded/archive/unpack.h noded/archive/unpack.c \
	noded/archive/reader.h noded/archive/reader_priv.h noded/archive/reader.c \
	noded/archive/read.c noded/archive/scan.c

# agent, lower half: a run writes into the outbox
libnoded_a_SOURCES += \
	noded/agent/sysstat.h noded/agent/sysstat.c \
	noded/agent/outbox.h noded/agent/outbox.c \
	noded/agent/calendar.h noded/agent/calendar.c

# a run
libnoded_a_SOURCES += \
	noded/run/catalogue.h noded/run/catalogue_priv.h noded/run/catalogue.c noded/run/catalogue_marks.c noded/run/catalogue_proof.c \
	noded/run/lock.h noded/run/lock.c \
	noded/run/pause.h noded/run/pause.c \
	noded/run/progress.h noded/run/progress.c \
	noded/run/report.h noded/run/report.c \
	noded/run/hooks.h noded/run/hooks.c \
	noded/run/notify.h noded/run/notify.c \
	noded/run/reap.h noded/run/reap.c \
	noded/run/job.h noded/run/job.c \
	noded/run/pack.h noded/run/pack.c \
	noded/run/relay.h noded/run/relay.c \
	noded/run/manifest.h noded/run/manifest.c \
	noded/run/stream.h noded/run/stream.c \
	noded/run/plausible.h noded/run/plausible.c \
	noded/run/judge.h noded/run/judge.c \
	noded/run/keep.h noded/run/keep.c \
	noded/run/expire.h noded/run/expire.c \
	noded/run/lost.h noded/run/lost.c \
	noded/run/accept.h noded/run/accept.c \
	noded/run/backup.h noded/run/backup.c \
	noded/run/facts.h noded/run/facts.c \
	noded/run/guess.h noded/run/guess.c \
	noded/run/find.h noded/run/find.c \
	noded/run/verify.h noded/run/verify.c \
	noded/run/looked.h noded/run/looked.c \
	noded/run/account.h noded/run/account.c \
	noded/run/restore_events.h noded/run/restore.h noded/run/restore_events.c noded/run/restore_priv.h \
	noded/run/restore_wanted.c noded/run/restore_salvage.c noded/run/restore_rows_priv.h noded/run/restore_rows.c noded/run/restore_rows_resume.c noded/run/restore_resume.c noded/run/restore_access.c noded/run/restore_db.c noded/run/restore_files.c \
	noded/run/restore_scan.c noded/run/restore_change.c noded/run/restore_place.c noded/run/restore_users.c \
	noded/run/restore_unpacked.c noded/run/restore_look.c noded/run/restore.c \
	noded/run/server_dir.h noded/run/server_dir.c \
	noded/run/server_program.h noded/run/server_program.c \
	noded/run/keeper.h noded/run/keeper.c \
	noded/run/private_server.h noded/run/private_server.c \
	noded/run/prove_views.h noded/run/prove_views.c \
	noded/run/prove.h noded/run/prove.c \
	noded/run/check.h noded/run/check_priv.h noded/run/check_room.c noded/run/check.c

# agent, upper half
libnoded_a_SOURCES += \
	noded/agent/dropin.h noded/agent/dropin.c \
	noded/agent/install.h noded/agent/install.c \
	noded/agent/timers.h noded/agent/timers.c \
	noded/agent/identity.h noded/agent/identity.c \
	noded/agent/link.h noded/agent/link.c \
	noded/agent/join.h noded/agent/join.c \
	noded/agent/send.h noded/agent/send.c \
	noded/agent/storages.h noded/agent/storages.c \
	noded/agent/request.h noded/agent/request.c \
	noded/agent/agent.h noded/agent/agent.c

sbin_PROGRAMS += felloe-noded
# the verbs, one a file
felloe_noded_SOURCES = \
	noded/cmd.h noded/cmd.c \
	noded/cmd_backup.c \
	noded/cmd_list.c \
	noded/cmd_restore.c \
	noded/cmd_verify.c \
	noded/cmd_keeper.c \
	noded/cmd_check.c \
	noded/cmd_status.c \
	noded/cmd_accept.c \
	noded/cmd_prune.c \
	noded/cmd_hold.c \
	noded/cmd_forget.c \
	noded/cmd_sites.c \
	noded/main.c
# the verbs of the agent and its timers
felloe_noded_SOURCES += \
	noded/cmd_join.c \
	noded/cmd_agent.c \
	noded/cmd_request.c \
	noded/cmd_pause.c \
	noded/cmd_apply.c \
	noded/cmd_calendar.c \
	noded/cmd_timers.c
felloe_noded_CPPFLAGS = $(libnoded_a_CPPFLAGS)
felloe_noded_LDADD = $(NODED_LIBS)

dist_man8_MANS += man/felloe-noded.8
dist_man5_MANS += man/felloe-config.5
