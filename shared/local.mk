# shared: what at least two programs use; bottom-up
noinst_LIBRARIES += libshared.a
libshared_a_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS) $(CJSON_CFLAGS) $(SQLITE_CFLAGS) $(CRYPTO_CFLAGS) $(SODIUM_CFLAGS)
libshared_a_SOURCES = \
	shared/attr.h \
	shared/err.h shared/err.c \
	shared/mem.h shared/mem.c \
	shared/str.h shared/str.c \
	shared/buf.h shared/buf.c \
	shared/list.h shared/list.c \
	shared/pool.h shared/pool.c \
	shared/clock.h shared/clock.c \
	shared/units.h shared/units.c \
	shared/log.h shared/log.c \
	shared/fs.h shared/fs.c \
	shared/opt.h shared/opt.c \
	shared/json.h shared/json.c shared/json_out.c \
	shared/hash.h shared/hash.c \
	shared/crypt.h shared/crypt.c \
	shared/sql.h shared/sql.c \
	shared/pin.h shared/pin.c \
	shared/http.h shared/http.c \
	shared/mail.h shared/mail.c \
	shared/wire.h shared/wire.c \
	shared/daemon.h shared/daemon.c \
	shared/client.h shared/client.c
SHARED_LIBS = libshared.a $(CURL_LIBS) $(CJSON_LIBS) $(SQLITE_LIBS) $(CRYPTO_LIBS) $(SODIUM_LIBS) -lm
