/* The index as a table: what main hands to the app. */
#include "features/features.h"

#include <stddef.h>

const struct route *const feature_tables[] = {
#define FEATURE(noun) noun##_routes,
#include "features/features.def"
#undef FEATURE
	NULL,
};
