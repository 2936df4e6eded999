# nginx: installed as Debian lays nginx out; an administrator links the site into sites-enabled
nginxdir = $(sysconfdir)/nginx
nginxconfdir = $(nginxdir)/conf.d
nginxsnippetsdir = $(nginxdir)/snippets
nginxsitesdir = $(nginxdir)/sites-available
stinterrorsdir = $(pkgdatadir)/errors

nginxconf_DATA = nginx/conf.d/stint.conf
nginxsites_DATA = nginx/sites-available/stint
nginxsnippets_DATA = \
	nginx/snippets/stint-app.conf nginx/snippets/stint-fastcgi.conf nginx/snippets/stint-headers.conf \
	nginx/snippets/stint-tls.conf nginx/snippets/stint-pools.map
dist_stinterrors_DATA = \
	nginx/errors/away.html nginx/errors/away.json nginx/errors/bad.html nginx/errors/bad.json \
	nginx/errors/busy.html nginx/errors/busy.json \
	nginx/errors/large.html nginx/errors/large.json nginx/errors/none.html nginx/errors/none.json
EXTRA_DIST += \
	nginx/stint-app.conf.in nginx/stint-fastcgi.conf.in nginx/stint-headers.conf.in nginx/stint-http.conf.in \
	nginx/stint-site.conf.in nginx/stint-tls.conf.in
CLEANFILES += $(nginxconf_DATA) $(nginxsites_DATA) $(nginxsnippets_DATA)

nginx_fill = $(AM_V_GEN)$(MKDIR_P) $(@D) && $(stint_fill) <$< >$@.new && mv $@.new $@

nginx/conf.d/stint.conf: nginx/stint-http.conf.in Makefile
	$(nginx_fill)
nginx/sites-available/stint: nginx/stint-site.conf.in Makefile
	$(nginx_fill)
nginx/snippets/stint-%.conf: nginx/stint-%.conf.in Makefile
	$(nginx_fill)

# Which pool serves which path is said by the routes.
nginx/snippets/stint-pools.map: stint$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) $(@D) && ./stint$(EXEEXT) routes --nginx >$@.new && mv $@.new $@
