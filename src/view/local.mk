# src/view
noinst_LIBRARIES += src/view/libview.a
src_view_libview_a_SOURCES =
STINT_LIBS += src/view/libview.a
