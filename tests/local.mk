# tests: Check programs (unit), corpora of the parsers (fuzz), and the lints that take a moment. What needs a running
# stack (tests/db, tests/api, tests/jobs, tests/browser, tests/ops) is run by ./dev test.
include tests/unit/local.mk
include tests/fuzz/local.mk
include tests/jobs/local.mk
include tests/bench/local.mk

check_SCRIPTS += tools/lint/quick

list-tests:
	@printf '%s\n' $(TESTS)

.PHONY: list-tests
