# docs
EXTRA_DIST += docs/architecture.md docs/api.md docs/performance.md docs/operations.md
