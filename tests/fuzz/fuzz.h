#ifndef STINT_FUZZ_H
#define STINT_FUZZ_H
/* What a fuzz target is: one function. libFuzzer calls it with --enable-fuzz; else run-corpus.c does, with the kept corpus. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <talloc.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Something that must hold for any input at all. */
#define FUZZ_HOLDS(what)                                                                 \
	do {                                                                             \
		if (!(what)) {                                                           \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #what); \
			abort();                                                         \
		}                                                                        \
	} while (0)

#endif
