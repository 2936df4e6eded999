# shellcheck shell=bash
# ./dev bench: a stack of its own with the optimised build, and tests/bench on it.
