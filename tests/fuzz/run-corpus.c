/*
 * Runs a fuzz target over its kept corpus, so that what a fuzzer once found stays found by every `make check`:
 * each file whole, and each beginning of it, since parsers break where input ends too early.
 *
 * The corpus is tests/fuzz/corpus/<name of the program> below $srcdir, or what the arguments name. An empty corpus fails:
 * a test that looked at nothing has shown nothing.
 */
#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

#define FILE_BYTES_MAX ((size_t)1024 * 1024)
#define BEGINNINGS_MAX ((size_t)2048) /* of longer files only so many */

static long inputs;

/* In a block exactly so long, so that the sanitizer sees any read behind it. */
static void run(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	inputs++;
}

static int run_file(const char *path)
{
	static uint8_t data[FILE_BYTES_MAX];
	FILE *file = fopen(path, "rbe");
	size_t size;

	if (!file) {
		perror(path);
		return 1;
	}
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	run(data, size);
	for (size_t n = 0; n < size && n < BEGINNINGS_MAX; n++)
		run(data, n);
	return 0;
}

static int run_folder(const char *path)
{
	DIR *dir = opendir(path);
	int failed = 0;
	long files = 0;

	if (!dir) {
		perror(path);
		return 1;
	}
	for (const struct dirent *entry; (entry = readdir(dir));) {
		char name[4096];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		failed |= run_file(name);
		files++;
	}
	closedir(dir);
	if (!files)
		fprintf(stderr, "%s: the corpus is empty\n", path);
	printf("%s: %ld files, %ld inputs\n", path, files, inputs);
	return failed || !files;
}

int main(int argc, char **argv)
{
	const char *srcdir = getenv("srcdir");
	const char *slash = strrchr(argv[0], '/');
	char path[4096];
	int failed = 0;

	alarm(60); /* an endless loop is a find as well */
	for (int i = 1; i < argc; i++)
		failed |= run_folder(argv[i]);
	if (argc > 1)
		return failed;
	snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s", srcdir ? srcdir : ".", slash ? slash + 1 : argv[0]);
	return run_folder(path);
}
