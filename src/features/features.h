#ifndef STINT_FEATURES_FEATURES_H
#define STINT_FEATURES_FEATURES_H
/* The nouns' route tables, from features.def. */
#include "app/route.h"
#define FEATURE(noun) extern const struct route noun##_routes[];
#include "features/features.def"
#undef FEATURE
extern const struct route *const feature_tables[]; /* ends with NULL */
#endif
