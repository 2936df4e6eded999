# src/main
sbin_PROGRAMS += stint-web stint
stint_web_SOURCES = src/main/stint-web.c
stint_web_LDADD = $(STINT_LIBS) $(STINT_LDADD)
stint_SOURCES = src/main/stint.c
stint_LDADD = src/cli/libcli.a $(STINT_LIBS) $(STINT_LDADD)
