# src/base
noinst_LIBRARIES += src/base/libbase.a
src_base_libbase_a_SOURCES =
STINT_LIBS += src/base/libbase.a
