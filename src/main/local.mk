# src/main
sbin_PROGRAMS += stint-web stint-worker stint-live stint
stint_web_SOURCES = src/main/stint-web.c
stint_web_LDADD = $(STINT_LIBS) $(STINT_LDADD)
stint_live_SOURCES = src/main/stint-live.c
stint_live_LDADD = $(LIVE_LIBS) $(LIVE_LDADD)
stint_SOURCES = src/main/stint.c
stint_LDADD = src/cli/libcli.a src/jobs/libjobs.a $(STINT_LIBS) $(STINT_LDADD)
stint_worker_SOURCES = src/main/stint-worker.c
stint_worker_LDADD = src/jobs/libjobs.a $(STINT_LIBS) $(STINT_LDADD)
