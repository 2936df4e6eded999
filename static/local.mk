# Style, script, icons and fonts, hashed into static-out/ by tools/build-assets and installed to $(pkgdatadir)/www.
static_sources = \
	static/css/tokens.css \
	static/css/base.css \
	static/css/controls.css \
	static/css/frame.css \
	static/css/bar.css \
	static/css/entries.css \
	static/css/pages.css \
	static/css/print.css \
	static/js/boot.js \
	static/js/stint.js \
	static/js/visit.js \
	static/js/clock.js \
	static/js/pick.js \
	static/js/bar.js \
	static/js/edit.js \
	static/js/keys.js \
	static/js/live.js \
	static/img/favicon.svg \
	static/img/favicon-running.svg \
	static/img/app-icon.svg \
	static/icons.list \
	static/manifest.webmanifest

EXTRA_DIST += $(static_sources)
dist_noinst_SCRIPTS += tools/build-assets tools/check-contrast
check_SCRIPTS += tools/check-contrast

static-out/manifest.json: $(static_sources) tools/build-assets package-lock.json
	$(AM_V_GEN)$(PERL) $(top_srcdir)/tools/build-assets $(top_srcdir) static-out

noinst_DATA += static-out/manifest.json

install-data-local: static-out/manifest.json
	$(MKDIR_P) $(DESTDIR)$(pkgdatadir)/www
	for file in static-out/*; do $(INSTALL_DATA) "$$file" $(DESTDIR)$(pkgdatadir)/www/ || exit 1; done

uninstall-local:
	rm -rf $(DESTDIR)$(pkgdatadir)/www

clean-local:
	rm -rf static-out
