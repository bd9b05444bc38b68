# Units of the daemons and timers, the master's user, the folders in /run. Paths
# are put in when they are made.
units = \
	systemd/felloe-masterd.service \
	systemd/felloe-noded.service \
	systemd/felloe-backup@.service \
	systemd/felloe-request@.service \
	systemd/felloe-backup@.timer
systemdsystemunit_DATA = $(units)
unit_sources = \
	systemd/felloe-masterd.service.in \
	systemd/felloe-noded.service.in \
	systemd/felloe-backup@.service.in \
	systemd/felloe-request@.service.in \
	systemd/felloe-backup@.timer.in
EXTRA_DIST += $(unit_sources) systemd/felloe-sysusers.conf systemd/felloe-tmpfiles.conf
CLEANFILES += $(units)

$(units): $(unit_sources) Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && sed -e 's|@sbindir[@]|$(sbindir)|g' -e 's|@sysconfdir[@]|$(sysconfdir)|g' \
		"$(srcdir)/$@.in" >"$@.tmp" && mv "$@.tmp" "$@"

# systemd-sysusers(8) and systemd-tmpfiles(8) read files named after the package
install-data-local:
	$(MKDIR_P) "$(DESTDIR)$(prefix)/lib/sysusers.d" "$(DESTDIR)$(prefix)/lib/tmpfiles.d"
	$(INSTALL_DATA) "$(srcdir)/systemd/felloe-sysusers.conf" "$(DESTDIR)$(prefix)/lib/sysusers.d/felloe.conf"
	$(INSTALL_DATA) "$(srcdir)/systemd/felloe-tmpfiles.conf" "$(DESTDIR)$(prefix)/lib/tmpfiles.d/felloe.conf"

uninstall-local:
	rm -f "$(DESTDIR)$(prefix)/lib/sysusers.d/felloe.conf" "$(DESTDIR)$(prefix)/lib/tmpfiles.d/felloe.conf"
