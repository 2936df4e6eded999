/* The embedded queries, found by name. */
#include "db/embed.h"

#include <stdlib.h>
#include <string.h>

const struct query *query_all(int *count)
{
	*count = embedded_query_count;
	return embedded_queries;
}

static int by_name(const void *name, const void *query)
{
	return strcmp(name, ((const struct query *)query)->name);
}

const struct query *query_find(const char *name)
{
	return bsearch(name, embedded_queries, (size_t)embedded_query_count,
		sizeof(*embedded_queries), by_name);
}
