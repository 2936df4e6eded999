/* Translation for real: a catalogue is written, found by language, and left again. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "unit.h"
#include "view/i18n.h"
#include "view/view.h"

struct message {
	const char *id;
	size_t id_len;
	const char *text;
	size_t text_len;
};

#define MESSAGE(id, text) \
	{ \
		id, sizeof(id) - 1, text, sizeof(text) - 1 \
	}

/* Sorted by id, as the format wants. Polish has three plurals. */
static const struct message polish[] = {
	MESSAGE("",
		"Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=3; plural=(n==1 ? "
		"0 : n%10>=2 && n%10<=4 && "
		"(n%100<10 || n%100>=20) ? 1 : 2);\n"),
	MESSAGE("Delete {name}", "{name}: usuń"),
	MESSAGE("Nov", "lis"),
	MESSAGE("Today", "Dziś"),
	MESSAGE("{n} entry\0{n} entries", "{n} wpis\0{n} wpisy\0{n} wpisów"),
	MESSAGE("{weekday} {day} {month}", "{day} {month}, {weekday}"),
};

static void put_u32(FILE *f, size_t n)
{
	unsigned int word = (unsigned int)n;

	ck_assert_uint_eq(fwrite(&word, sizeof(word), 1, f), 1);
}

static void write_catalogue(const char *path, const struct message *all, size_t count)
{
	size_t at = 28 + count * 16;
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	put_u32(f, 0x950412de);
	put_u32(f, 0);
	put_u32(f, count);
	put_u32(f, 28);
	put_u32(f, 28 + count * 8);
	put_u32(f, 0);
	put_u32(f, 0);
	for (size_t i = 0; i < count; at += all[i++].id_len + 1) {
		put_u32(f, all[i].id_len);
		put_u32(f, at);
	}
	for (size_t i = 0; i < count; at += all[i++].text_len + 1) {
		put_u32(f, all[i].text_len);
		put_u32(f, at);
	}
	for (size_t i = 0; i < count; i++)
		ck_assert_uint_eq(fwrite(all[i].id, all[i].id_len + 1, 1, f), 1);
	for (size_t i = 0; i < count; i++)
		ck_assert_uint_eq(fwrite(all[i].text, all[i].text_len + 1, 1, f), 1);
	ck_assert_int_eq(fclose(f), 0);
}

static const char *shown(const char *language, const char *template, const char *json)
{
	struct view_env env = { .zone = "UTC", .language = language, .now_us = 1795435200000000 };
	struct json_object *doc = json_trusted(unit_mem, json);
	struct views *v = views_new(unit_mem, true);
	const char *why = "";
	struct buf out;

	buf_init(&out, unit_mem);
	ck_assert_msg(views_add(v, "m", template, strlen(template), true, &why) &&
			views_link(v, &why) && view_render(v, "m", &env, &doc, 1, &out, &why),
		"%s", why);
	return out.data;
}

static char *catalogues(void)
{
	char *dir = mem_strdup(unit_mem, "/tmp/stint-i18n-XXXXXX");

	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(mkdir(mem_printf(unit_mem, "%s/pl", dir), 0700), 0);
	ck_assert_int_eq(mkdir(mem_printf(unit_mem, "%s/pl/LC_MESSAGES", dir), 0700), 0);
	write_catalogue(mem_printf(unit_mem, "%s/pl/LC_MESSAGES/stint.mo", dir), polish,
		sizeof(polish) / sizeof(*polish));
	return dir;
}

static void remove_catalogues(const char *dir)
{
	static const char *const names[] = { "pl/LC_MESSAGES/stint.mo", "pl/LC_MESSAGES", "pl",
		"" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		remove(mem_printf(unit_mem, "%s/%s", dir, names[i]));
}

START_TEST(languages_follow_the_person)
{
	char *dir = catalogues();
	static const char template[] = "{{d | day}} {{\"Delete {name}\" | t}} {{n | plural \"{n} "
				       "entry\" \"{n} entries\"}} {{e | day}}";
	static const char json[] =
		"{\"d\":\"2026-11-23\",\"e\":\"2026-11-20\",\"name\":\"Ada\",\"n\":5}";

	i18n_init(dir);
	for (int i = 0; i < 3; i++) {
		ck_assert_str_eq(
			shown("en", template, json), "Today Delete Ada 5 entries Fri 20 Nov");
		ck_assert_str_eq(
			shown("pl", template, json), "Dziś Ada: usuń 5 wpisów 20 lis, Fri");
		ck_assert_str_eq(
			shown("fr", template, json), "Today Delete Ada 5 entries Fri 20 Nov");
	}
	ck_assert_str_eq(
		shown("pl", "{{n | plural \"{n} entry\" \"{n} entries\"}}", "{\"n\":1}"), "1 wpis");
	ck_assert_str_eq(shown("pl", "{{n | plural \"{n} entry\" \"{n} entries\"}}", "{\"n\":22}"),
		"22 wpisy");
	remove_catalogues(dir);
}
END_TEST

START_TEST(a_language_is_no_path)
{
	char *dir = catalogues();

	i18n_init(mem_printf(unit_mem, "%s/none", dir));
	ck_assert_str_eq(shown("../pl", "{{\"Today\" | t}}", "{}"), "Today");
	ck_assert_str_eq(shown(NULL, "{{\"Today\" | t}}", "{}"), "Today");
	ck_assert_str_eq(shown("", "{{\"Today\" | t}}", "{}"), "Today");
	i18n_init(dir);
	ck_assert_str_eq(shown("pl", "{{\"Today\" | t}}", "{}"), "Dziś");
	ck_assert_str_eq(shown("en:pl", "{{\"Today\" | t}}", "{}"), "Today");
	remove_catalogues(dir);
}
END_TEST

UNIT_MAIN("view_i18n", languages_follow_the_person, a_language_is_no_path)
