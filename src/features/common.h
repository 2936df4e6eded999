#ifndef STINT_FEATURES_COMMON_H
#define STINT_FEATURES_COMMON_H
/* What nouns share when they declare themselves: fields of lists and creations, and short forms for attributes. */
#include "app/route.h"
#include "view/i18n.h"

/* Every list is paged in the same way. */
#define FIELDS_OF_LIST \
	{ .name = "limit", .type = FIELD_INT, .min = 1, .max = 200, .dflt = "50", .text = "How many at most." }, \
	{ \
		.name = "cursor", .type = FIELD_TEXT, .max = 2000, .text = "next_cursor of the page before." \
	}

/* A client may make the id, so that a creation sent again is recognised. */
#define FIELD_OF_ID \
	{ \
		.name = "id", .type = FIELD_UUID, .text = "UUIDv7 made by the client." \
	}

extern const char *const choices_archived[]; /* false, true, all */
extern const char *const choices_fold[];     /* first, second: of a time that happens twice */

#define ID(n) \
	{ \
		.name = n, .type = ATTR_ID \
	}
#define ID_OR_NULL(n) \
	{ \
		.name = n, .type = ATTR_ID, .nullable = true \
	}
#define TEXT(n) \
	{ \
		.name = n, .type = ATTR_TEXT \
	}
#define TEXT_OR_NULL(n) \
	{ \
		.name = n, .type = ATTR_TEXT, .nullable = true \
	}
#define INT(n) \
	{ \
		.name = n, .type = ATTR_INT \
	}
#define BOOL(n) \
	{ \
		.name = n, .type = ATTR_BOOL \
	}
#define INSTANT(n) \
	{ \
		.name = n, .type = ATTR_INSTANT \
	}
#define INSTANT_OR_NULL(n) \
	{ \
		.name = n, .type = ATTR_INSTANT, .nullable = true \
	}
#define DATE(n) \
	{ \
		.name = n, .type = ATTR_DATE \
	}
#define SECONDS(n) \
	{ \
		.name = n, .type = ATTR_SECONDS \
	}
#define OBJECT(n, shape) \
	{ \
		.name = n, .type = ATTR_OBJECT, .of = &(shape) \
	}
#define OBJECT_OR_NULL(n, shape) \
	{ \
		.name = n, .type = ATTR_OBJECT, .nullable = true, .of = &(shape) \
	}
#define LIST(n, shape) \
	{ \
		.name = n, .type = ATTR_LIST, .of = &(shape) \
	}

/* Shapes that several nouns' replies are made of; in shapes.c. */
extern const struct shape shape_entry; /* a time entry as programs see it */
extern const struct shape shape_row;   /* a time entry as pages show it */

#endif
