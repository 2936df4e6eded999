# tests/bench: what ./dev bench runs; it builds the baseline itself.
EXTRA_DIST += tests/bench/bare.c tests/bench/bare-jobs.c tests/bench/celery_noop.py tests/bench/jobs.js tests/bench/load.lua tests/bench/run.js tests/bench/sidekiq_noop.rb
