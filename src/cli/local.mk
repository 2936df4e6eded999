# src/cli
noinst_LIBRARIES += src/cli/libcli.a
src_cli_libcli_a_SOURCES =
STINT_LIBS += src/cli/libcli.a
