# src/db
noinst_LIBRARIES += src/db/libdb.a
src_db_libdb_a_SOURCES = \
	src/db/conn.c src/db/conn.h \
	src/db/db.c src/db/db.h \
	src/db/fail.c src/db/fail.h \
	src/db/migrate.c src/db/migrate.h \
	src/db/query.c src/db/embed.h \
	src/db/script.c src/db/script.h src/db/script_file.c
nodist_src_db_libdb_a_SOURCES = src/db/queries.gen.c src/db/embed.gen.c
src_db_libdb_a_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
STINT_LIBS += src/db/libdb.a

# The folders too: a file that is gone leaves no newer file behind, but a newer folder.
db_sql = $(top_srcdir)/sql
db_queries = $(wildcard $(db_sql)/queries/*.sql)
db_files = $(wildcard $(db_sql)/migrations/*.sql) $(wildcard $(db_sql)/functions/*.sql) \
	$(wildcard $(db_sql)/policies.sql) $(wildcard $(db_sql)/demo.sql)
db_embed = $(top_srcdir)/tools/embed-queries.pl

src/db/queries.gen.c: $(db_embed) $(db_queries) $(db_sql)/queries
	$(AM_V_GEN)$(MKDIR_P) src/db && $(PERL) $(db_embed) queries $@ $(db_queries)

src/db/embed.gen.c: $(db_embed) $(db_files) $(db_sql)/migrations $(db_sql)/functions
	$(AM_V_GEN)$(MKDIR_P) src/db && $(PERL) $(db_embed) files $@ $(db_sql) $(db_files)

BUILT_SOURCES += src/db/queries.gen.c src/db/embed.gen.c
CLEANFILES += src/db/queries.gen.c src/db/embed.gen.c
dist_noinst_SCRIPTS += tools/embed-queries.pl
