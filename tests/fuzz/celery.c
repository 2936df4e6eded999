/* A message of somebody's Celery client: whatever it is, it is read into a call of a public kind or a refusal with a reason. */
#include <string.h>

#include "base/mem.h"
#include "base/json.h"
#include "fuzz.h"
#include "queue/celery.h"

static enum job_end run(struct job *j)
{
	(void)j;
	return JOB_OK;
}

static const struct job_kind public_kind = { .name = "stint.ping", .about = "", .is_public = true, .run = run };
static const struct job_kind private_kind = { .name = "housekeeping", .about = "", .run = run };
static const struct job_kind *const kinds[] = { &public_kind, &private_kind, NULL };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void *mem = mem_root("fuzz");
	struct json_object *said = celery_read(mem, kinds, (const char *)data, size);
	struct json_object *args = NULL;

	FUZZ_HOLDS(said != NULL);
	FUZZ_HOLDS(json_str(said, "mark") != NULL && json_str(said, "head") != NULL);
	if (!json_str(said, "refused")) {
		/* No other kind than the public one is ever called, and never without an id. */
		FUZZ_HOLDS(json_str(said, "task") && strcmp(json_str(said, "task"), "stint.ping") == 0);
		FUZZ_HOLDS(json_str(said, "id") != NULL);
		FUZZ_HOLDS(json_object_object_get_ex(said, "args", &args) && json_object_is_type(args, json_type_object));
	}
	mem_free(mem);
	return 0;
}
