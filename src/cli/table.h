#ifndef STINT_CLI_TABLE_H
#define STINT_CLI_TABLE_H
/* Lists of JSON objects as aligned columns, for people. */
#include <json-c/json.h>
#include <stdbool.h>

struct column {
	const char *key; /* in each object; what is absent or null is shown as - */
	const char *title;
	bool right; /* numbers */
	int most;   /* characters; longer text is cut; 0: all of it */
};

/* columns end with key NULL. Says `none` when the list is empty. */
void table_print(void *mem, struct json_object *list, const struct column *columns, const char *none);
/* One object, a key and its value a line; objects and lists below it as JSON. */
void table_print_object(void *mem, struct json_object *object);

#endif
