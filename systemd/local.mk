# systemd: units, who they run as, where sockets lie, and the configuration file they start with
sysusersdir = $(prefix)/lib/sysusers.d
tmpfilesdir = $(prefix)/lib/tmpfiles.d
stintconfdir = $(sysconfdir)/stint
dist_sysusers_DATA = systemd/sysusers.d/stint.conf
dist_tmpfiles_DATA = systemd/tmpfiles.d/stint.conf
dist_stintconf_DATA = systemd/stint.conf

stint_units = \
	systemd/stint-web.service systemd/stint-web.socket systemd/stint-auth.socket systemd/stint-migrate.service \
	systemd/stint-worker@.service systemd/stint-live.service systemd/stint-live.socket
systemdsystemunit_DATA = $(stint_units)
EXTRA_DIST += $(stint_units:=.in) systemd/stint-worker-network.conf.in
CLEANFILES += $(stint_units) systemd/stint-worker-network.conf

# Instances whose jobs go outside get the network.
stint_outside = all mail outside
all-local: systemd/stint-worker-network.conf
install-data-hook: stint-install-network
uninstall-hook: stint-uninstall-network
stint-install-network: systemd/stint-worker-network.conf
	@for name in $(stint_outside); do \
		dir="$(DESTDIR)$(systemdsystemunitdir)/stint-worker@$$name.service.d"; \
		$(MKDIR_P) "$$dir" && $(INSTALL_DATA) systemd/stint-worker-network.conf "$$dir/network.conf" || exit 1; \
	done
stint-uninstall-network:
	@for name in $(stint_outside); do \
		dir="$(DESTDIR)$(systemdsystemunitdir)/stint-worker@$$name.service.d"; \
		rm -f "$$dir/network.conf"; rmdir "$$dir" 2>/dev/null || :; \
	done
.PHONY: stint-install-network stint-uninstall-network

# Paths of the installation, in units and in nginx's files.
stint_fill = sed -e 's|@sbindir[@]|$(sbindir)|g' -e 's|@sysconfdir[@]|$(sysconfdir)|g' -e 's|@docdir[@]|$(docdir)|g' \
	-e 's|@rundir[@]|/run/stint|g' -e 's|@wwwdir[@]|$(pkgdatadir)/www|g' -e 's|@errordir[@]|$(pkgdatadir)/errors|g' \
	-e 's|@nginxdir[@]|$(nginxdir)/snippets|g' -e 's|@tlsdir[@]|$(stintconfdir)/tls|g'

systemd/%: systemd/%.in Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && $(stint_fill) <$(srcdir)/systemd/$*.in >$@.new && mv $@.new $@
