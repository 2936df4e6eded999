# src/app
noinst_LIBRARIES += src/app/libapp.a
src_app_libapp_a_SOURCES = \
	src/app/app.c src/app/app.h src/app/call.c src/app/call.h \
	src/app/field_types.c src/app/field_types.h src/app/fields.c src/app/fields.h \
	src/app/gate.c src/app/gate.h src/app/idempotency.c src/app/idempotency.h \
	src/app/journey.c src/app/mail.c src/app/mail.h \
	src/app/mail_box.c src/app/mail_box.h \
	src/app/openapi.c src/app/openapi.h src/app/openapi_schema.c src/app/openapi_schema.h \
	src/app/page.c src/app/page.h src/app/page_forms.c src/app/page_forms.h \
	src/app/permissions.def src/app/problem.c src/app/problem.h src/app/route.h \
	src/app/routes.c src/app/routes.h src/app/schedules.c src/app/schedules.h src/app/throttle.c src/app/throttle.h
STINT_LIBS += src/app/libapp.a
