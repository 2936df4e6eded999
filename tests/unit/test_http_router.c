/* Paths to routes. */
#include "unit.h"

#include <string.h>

#include "aborts.h"
#include "base/mem.h"
#include "http/router.h"

#define ID "018f2f6e-1111-7abc-8def-0123456789ab"

static struct router *router;
static struct pairs params;
static const char *allow;

static void add(enum method method, const char *pattern)
{
	router_add(router, method, pattern, pattern);
}

static const char *find(enum method method, const char *path)
{
	const char *target = router_find(router, unit_mem, method, path, &params, &allow);

	return target ? target : "none";
}

static void build(void)
{
	router = router_new(unit_mem);
	add(METHOD_GET, "/");
	add(METHOD_GET, "/tags");
	add(METHOD_POST, "/tags");
	add(METHOD_GET, "/tags/{tag_id}");
	add(METHOD_PATCH, "/tags/{tag_id}");
	add(METHOD_GET, "/tags/{name}/more");
	add(METHOD_GET, "/tags/new");
	add(METHOD_GET, "/files/{name}");
	add(METHOD_DELETE, "/files/{file_id}");
	add(METHOD_GET, "/a/{a_id}/b/{b_id}/{c}");
}

START_TEST(paths_find_their_routes)
{
	build();
	ck_assert_str_eq(find(METHOD_GET, "/"), "/");
	ck_assert_str_eq(find(METHOD_GET, "/tags"), "/tags");
	ck_assert_str_eq(find(METHOD_HEAD, "/tags"), "/tags");
	ck_assert_str_eq(find(METHOD_GET, "/tags/new"), "/tags/new");
	ck_assert_str_eq(find(METHOD_GET, "/tags/" ID), "/tags/{tag_id}");
	ck_assert_uint_eq(params.count, 1);
	ck_assert_str_eq(params.items[0].name, "tag_id");
	ck_assert_str_eq(params.items[0].value, ID);
}
END_TEST

START_TEST(parameters_come_in_order)
{
	build();
	ck_assert_str_eq(find(METHOD_GET, "/a/" ID "/b/018F2F6E-1111-7ABC-8DEF-0123456789AB/x y"), "/a/{a_id}/b/{b_id}/{c}");
	ck_assert_uint_eq(params.count, 3);
	ck_assert_str_eq(params.items[0].name, "a_id");
	ck_assert_str_eq(params.items[1].name, "b_id");
	ck_assert_str_eq(params.items[1].value, ID);
	ck_assert_str_eq(params.items[2].value, "x y");
}
END_TEST

START_TEST(what_is_no_id_is_not_found)
{
	build();
	ck_assert_str_eq(find(METHOD_GET, "/tags/7"), "none");
	ck_assert_ptr_null(allow);
	ck_assert_str_eq(find(METHOD_GET, "/tags/" ID "x"), "none");
	ck_assert_str_eq(find(METHOD_GET, "/tags/018f2f6e-1111-7abc-8def-0123456789ag"), "none");
	ck_assert_ptr_null(allow);
}
END_TEST

START_TEST(other_paths_are_not_found)
{
	static const char *const none[] = { "", "x", "/tag", "/tagss", "/tags/", "/tags/new/", "/tags/new/x", "/TAGS", "/a/" ID "/b",
		"/files/", "/files" };

	build();
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
		ck_assert_msg(strcmp(find(METHOD_GET, none[i]), "none") == 0, "%s", none[i]);
		ck_assert_msg(allow == NULL, "%s", none[i]);
	}
}
END_TEST

START_TEST(searching_walks_back)
{
	build();
	/* "new" is a literal, which leads nowhere here; an id is tried before a name. */
	ck_assert_str_eq(find(METHOD_GET, "/tags/new/more"), "/tags/{name}/more");
	ck_assert_uint_eq(params.count, 1);
	ck_assert_str_eq(params.items[0].value, "new");
	ck_assert_str_eq(find(METHOD_GET, "/tags/" ID "/more"), "/tags/{name}/more");
	ck_assert_uint_eq(params.count, 1);
	ck_assert_str_eq(params.items[0].name, "name");
	ck_assert_str_eq(find(METHOD_GET, "/files/" ID), "/files/{name}");
	ck_assert_str_eq(find(METHOD_DELETE, "/files/" ID), "/files/{file_id}");
}
END_TEST

START_TEST(other_methods_are_told_what_is_allowed)
{
	build();
	ck_assert_str_eq(find(METHOD_DELETE, "/tags"), "none");
	ck_assert_str_eq(allow, "GET, HEAD, POST");
	ck_assert_str_eq(find(METHOD_OTHER, "/tags/" ID), "none");
	ck_assert_str_eq(allow, "GET, HEAD, PATCH");
	ck_assert_str_eq(find(METHOD_POST, "/files/" ID), "none");
	ck_assert_str_eq(allow, "GET, HEAD, DELETE");
	ck_assert_str_eq(find(METHOD_DELETE, "/files/x"), "none");
	ck_assert_str_eq(allow, "GET, HEAD");
}
END_TEST

static void add_twice(void)
{
	add(METHOD_GET, "/tags/{tag_id}");
}

static void add_half_a_parameter(void)
{
	add(METHOD_GET, "/x/{id");
}

static void add_a_slash_at_the_end(void)
{
	add(METHOD_GET, "/x/");
}

START_TEST(mistakes_abort)
{
	build();
	ck_assert(aborts(add_twice));
	ck_assert(aborts(add_half_a_parameter));
	ck_assert(aborts(add_a_slash_at_the_end));
}
END_TEST

UNIT_MAIN("http_router", paths_find_their_routes, parameters_come_in_order, what_is_no_id_is_not_found, other_paths_are_not_found,
	searching_walks_back, other_methods_are_told_what_is_allowed, mistakes_abort)
