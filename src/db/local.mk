# src/db
noinst_LIBRARIES += src/db/libdb.a
src_db_libdb_a_SOURCES =
STINT_LIBS += src/db/libdb.a
