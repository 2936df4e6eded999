# docs
EXTRA_DIST += docs/architecture.md docs/api.md docs/performance.md docs/jobs.md docs/operations.md
