# masterd: bottom-up; main last
noinst_LIBRARIES += libmasterd.a
libmasterd_a_CPPFLAGS = $(AM_CPPFLAGS) $(MHD_CFLAGS) $(CRYPTO_CFLAGS)
libmasterd_a_SOURCES = \
	masterd/config.h masterd/config.c \
	masterd/selfsign.h masterd/selfsign.c \
	masterd/db_driver.h \
	masterd/db_sqlite.h masterd/db_sqlite.c \
	masterd/schema.h masterd/schema.c \
	masterd/db.h masterd/db.c \
	masterd/ticket.h \
	masterd/writer.h masterd/writer.c \
	masterd/pwq.h masterd/pwq.c \
	masterd/bucket.h masterd/bucket.c \
	masterd/jwt.h masterd/jwt.c \
	masterd/tbl_user.h masterd/tbl_user.c \
	masterd/tbl_session.h masterd/tbl_session.c \
	masterd/auth.h masterd/auth.c \
	masterd/req.h masterd/req.c \
	masterd/master.h \
	masterd/api_root.h masterd/api_root.c \
	masterd/api_auth.h masterd/api_auth.c \
	masterd/route.h masterd/route.c \
	masterd/httpd.h masterd/httpd.c \
	masterd/cmd.h masterd/cmd_user.c masterd/cmd_init.c masterd/cmd_check.c masterd/cmd_routes.c masterd/cmd_run.c
MASTERD_LIBS = libmasterd.a $(SHARED_LIBS) $(MHD_LIBS)

sbin_PROGRAMS += felloe-masterd
felloe_masterd_SOURCES = masterd/main.c
felloe_masterd_LDADD = $(MASTERD_LIBS)
