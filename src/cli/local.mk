# src/cli
noinst_LIBRARIES += src/cli/libcli.a
src_cli_libcli_a_SOURCES = src/cli/celery.c src/cli/check.c src/cli/cli.h src/cli/explain.c src/cli/jobs.c src/cli/routes.c \
	src/cli/table.c src/cli/table.h
