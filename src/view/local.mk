# src/view
noinst_LIBRARIES += src/view/libview.a
src_view_libview_a_SOURCES = \
	src/view/charts.c \
	src/view/expr.c \
	src/view/format_time.c \
	src/view/formatters.c \
	src/view/formatters.h \
	src/view/i18n.c \
	src/view/i18n.h \
	src/view/mail_compose.c \
	src/view/mail_compose.h \
	src/view/mail_text.c \
	src/view/mail_text.h \
	src/view/mime.c \
	src/view/mime.h \
	src/view/parse.c \
	src/view/render.c \
	src/view/scan.c \
	src/view/template.h \
	src/view/value.c \
	src/view/value.h \
	src/view/view.h \
	src/view/views.c
STINT_LIBS += src/view/libview.a
EXTRA_DIST += po/stint.pot tools/extract-strings.pl
