# tests/bench: what ./dev bench runs; it builds the baseline itself.
EXTRA_DIST += tests/bench/bare.c tests/bench/load.lua tests/bench/run.js
