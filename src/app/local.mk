# src/app
noinst_LIBRARIES += src/app/libapp.a
src_app_libapp_a_SOURCES =
STINT_LIBS += src/app/libapp.a
