/* The organization one acts in. */
#include "features/features.h"

#include "features/common.h"

static const struct shape shape_organization = {
	.name = "Organization",
	.attrs = (const struct attr[]){ ID("id"), INT("version"), TEXT("name"), TEXT("zone"),
		TEXT("currency"), TEXT("overlap_policy"),
		SECONDS("weekly_target_s"), INSTANT("created_at"), { 0 } },
};

static const char *const policies[] = { "allow", "forbid", NULL };

static const struct field update_fields[] = {
	{ .name = "name", .type = FIELD_TEXT, .flags = F_REQUIRED | F_PATCH, .max = 100 },
	{ .name = "zone", .type = FIELD_ZONE },
	{ .name = "currency", .type = FIELD_TEXT, .flags = F_REQUIRED | F_PATCH, .min = 3, .max = 3, .text = "ISO 4217 code." },
	{ .name = "overlap_policy", .type = FIELD_CHOICE, .choices = policies },
	{ .name = "weekly_target_s", .type = FIELD_DURATION, .flags = F_HOURS, .max = 168 * 3600 },
	{ 0 },
};

const struct route organization_routes[] = {
	{
		.name = "organization.get",
		.summary = "The organization",
		.api = "GET /organization",
		.page = "GET /settings/organization",
		.need = PERM_SIGNED_IN,
		.flags = ROUTE_ZONES,
		.reply = &shape_organization,
		.view = "settings/organization",
		.title = N_("Organization"),
		.forms = { "organization.update" },
	},
	{
		.name = "organization.update",
		.summary = "Change the organization's settings",
		.api = "PATCH /organization",
		.page = "POST /settings/organization",
		.need = PERM_ORGANIZATION_EDIT,
		.flags = ROUTE_WRITE,
		.fields = update_fields,
		.reply = &shape_organization,
		.on = "organization.get",
		.then = "/settings/organization",
		.done = N_("Organization saved."),
	},
	{ 0 },
};
