# masterd: bottom-up; main last
noinst_LIBRARIES += libmasterd.a
libmasterd_a_CPPFLAGS = $(AM_CPPFLAGS) $(MHD_CFLAGS)
libmasterd_a_SOURCES =
MASTERD_LIBS = libmasterd.a $(SHARED_LIBS) $(MHD_LIBS)

# sbin_PROGRAMS += felloe-masterd
# felloe_masterd_SOURCES = masterd/main.c
# felloe_masterd_LDADD = $(MASTERD_LIBS)
