/* The engine beyond the specification's cases: strictness, escaping by kind of file, limits, messages, literals and pipes. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "unit.h"
#include "view/i18n.h"
#include "view/view.h"

static const struct view_env env = { .zone = "UTC", .language = "en", .now_us = 1795435200000000 };

struct made {
	const char *text; /* NULL: it failed */
	const char *why;
};

static struct made make(
	bool strict, bool escape, const char *template, const char *partial, const char *json)
{
	struct views *v = views_new(unit_mem, strict);
	struct json_object *doc = json_trusted(unit_mem, json);
	struct made made = { .text = NULL };
	struct buf out;

	buf_init(&out, unit_mem);
	if (views_add(v, "main", template, strlen(template), escape, &made.why) &&
		(!partial || views_add(v, "p", partial, strlen(partial), escape, &made.why)) &&
		views_link(v, &made.why) && view_render(v, "main", &env, &doc, 1, &out, &made.why))
		made.text = out.data;
	return made;
}

static void is(const char *template, const char *json, const char *due)
{
	struct made made = make(true, true, template, NULL, json);

	ck_assert_msg(made.text, "%s: %s", template, made.why);
	ck_assert_str_eq(made.text, due);
}

static void fails(const char *template, const char *json, const char *due)
{
	struct made made = make(true, true, template, NULL, json);

	ck_assert_msg(!made.text, "%s gave %s", template, made.text);
	ck_assert_str_eq(made.why, due);
}

START_TEST(strict_wants_every_name)
{
	fails("\n{{gone}}", "{}", "main:2: the document has no \"gone\"");
	fails("{{#gone}}{{/gone}}", "{}", "main:1: the document has no \"gone\"");
	fails("{{^a.b}}{{/a.b}}", "{\"a\":{}}", "main:1: the document has no \"a.b\"");
	fails("{{x | selected y.z}}", "{\"x\":1,\"y\":{}}", "main:1: the document has no \"y.z\"");
	fails("{{\"Hi {gone}\" | t}}", "{}", "main:1: t: the document has no \"gone\"");
	is("[{{x}}{{#x}}{{/x}}{{x.deeper.still}}]", "{\"x\":null}", "[]");
}
END_TEST

START_TEST(lenient_prints_nothing)
{
	struct made made = make(false, true,
		"[{{gone}}{{#gone}}x{{/gone}}{{>gone}}{{\"Hi {gone}\" | t}}]", NULL, "{}");

	ck_assert_str_eq(made.text, "[Hi ]");
}
END_TEST

START_TEST(strict_wants_every_partial)
{
	fails("\n\n{{>parts/gone}}", "{}", "main:3: there is no template parts/gone");
	fails("{{<gone}}{{/gone}}", "{}", "main:1: there is no template gone");
}
END_TEST

START_TEST(says_where_a_template_is_broken)
{
	fails("a\n{{#x}}\n", "{}", "main:2: {{x}} is never closed");
	fails("{{/x}}", "{}", "main:1: {{/x}} closes nothing");
	fails("{{#x}}\n{{/y}}", "{}", "main:2: {{/y}} where {{/x}} of line 1 is due");
	fails("\n{{x", "{}", "main:2: a tag is opened and never closed with }}");
	fails("{{{x}}", "{}", "main:1: a tag is opened and never closed with }}}");
	fails("{{}}", "{}", "main:1: a tag with nothing in it");
	fails("{{x y}}", "{}", "main:1: only a formatter may follow, behind a |");
	fails("{{x | gone}}", "{}", "main:1: there is no formatter \"gone\"");
	fails("{{x | selected}}", "{}", "main:1: formatter selected takes 1 to 1 arguments, not 0");
	fails("{{\"x | t}}", "{}", "main:1: a text in quotes is not closed");
	fails("{{a..b}}", "{}", "main:1: \"a..b\" is no name");
	fails("{{x | selected y | t}}", "{}",
		"main:1: nothing may follow a formatter that makes markup");
	fails("{{=<%=}}", "{}",
		"main:1: delimiters are set like {{=<% %>=}}: two marks with a space between them "
		"and no '='");
	fails("\xff", "{}", "main: not UTF-8");
}
END_TEST

START_TEST(two_of_one_name_are_refused)
{
	struct views *v = views_new(unit_mem, true);
	const char *why;

	ck_assert(views_add(v, "x", "", 0, true, &why));
	ck_assert(!views_add(v, "x", "", 0, true, &why));
	ck_assert_str_eq(why, "x and x have one name");
}
END_TEST

START_TEST(mail_is_not_escaped)
{
	ck_assert_str_eq(make(true, false, "{{x}} {{\"R&D\" | t}}", NULL, "{\"x\":\"<&>\"}").text,
		"<&> R&D");
	ck_assert_str_eq(make(true, true, "{{x}} {{\"R&D\" | t}}", NULL, "{\"x\":\"<&>\"}").text,
		"&lt;&amp;&gt; R&amp;D");
}
END_TEST

START_TEST(every_dangerous_character_is_escaped)
{
	is("{{x}}", "{\"x\":\"<>&\\\"'\"}", "&lt;&gt;&amp;&quot;&#39;");
	is("{{\"{x}\" | t}}", "{\"x\":\"<script>\"}", "&lt;script&gt;");
	is("{{x | json}}", "{\"x\":\"</script>\"}", "&quot;&lt;\\/script&gt;&quot;");
}
END_TEST

START_TEST(endless_recursion_is_an_error)
{
	struct made made = make(true, true, "{{>p}}", "{{>p}}", "{}");

	ck_assert_ptr_null(made.text);
	ck_assert_str_eq(made.why, "p:1: templates include each other more than 64 deep");
}
END_TEST

START_TEST(a_page_without_end_is_an_error)
{
	struct made made = make(true, true,
		"{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}x{{/l}}{{/l}}{{/l}}{{/l}}{{/l}}{{/l}}{{/"
		"l}}",
		NULL, "{\"l\":[1,2,3,4,5,6,7,8,9,10]}");

	ck_assert_ptr_null(made.text);
	ck_assert_str_eq(made.why, "main:1: the page does not end");
}
END_TEST

START_TEST(sections_cannot_nest_without_end)
{
	char template[70 * 6 + 1] = "";

	for (size_t i = 0; i < 65; i++)
		memcpy(template + i * 6, "{{#a}}", 7);
	fails(template, "{}", "main:1: sections nest too deeply");
}
END_TEST

START_TEST(later_documents_are_asked_first)
{
	struct json_object *stack[] = { json_trusted(unit_mem, "{\"a\":1,\"b\":1}"),
		json_trusted(unit_mem, "{\"b\":2}") };
	struct views *v = views_new(unit_mem, true);
	const char *why;
	struct buf out;

	buf_init(&out, unit_mem);
	ck_assert(views_add(v, "x", "{{a}}{{b}}", 10, true, &why) && views_link(v, &why));
	ck_assert(view_render(v, "x", &env, stack, 2, &out, &why));
	ck_assert_str_eq(out.data, "12");
	ck_assert(!view_render(v, "y", &env, stack, 2, &out, &why));
	ck_assert_str_eq(why, "there is no template y");
}
END_TEST

START_TEST(empty_text_and_zero_are_nothing)
{
	is("{{#a}}1{{/a}}{{#b}}2{{/b}}{{#c}}3{{/c}}{{#d}}4{{/d}}{{#e}}5{{/e}}",
		"{\"a\":\"\",\"b\":0,\"c\":0.0,\"d\":\"0\",\"e\":{}}", "45");
}
END_TEST

START_TEST(formatters_follow_one_another)
{
	is("{{x | default \"ab c\" | upper_first | url}}", "{\"x\":\"\"}", "Ab%20c");
	is("{{x|default 'it\\'s'|json}}", "{\"x\":null}", "&quot;it&#39;s&quot;");
	is("{{{x | json}}}", "{\"x\":[1,\"</a>\"]}", "[1,\"<\\/a>\"]");
}
END_TEST

START_TEST(formatters_in_sections)
{
	is("{{#r | is \"owner\" \"manager\"}}yes {{r}}{{/r}}{{^r | is \"member\"}} no{{/r}}",
		"{\"r\":\"owner\"}", "yes owner no");
	is("{{#r | is \"owner\"}}yes{{/r | is \"owner\"}}", "{\"r\":\"member\"}", "");
}
END_TEST

START_TEST(pipe_can_be_a_delimiter)
{
	is("{{=| |=}}|x| |x|", "{\"x\":1}", "1 1");
}
END_TEST

START_TEST(texts_are_filled)
{
	is("{{\"Delete {p.name}, {n} times\" | t}}", "{\"p\":{\"name\":\"A&B\"},\"n\":3}",
		"Delete A&amp;B, 3 times");
	is("{{\"{a|duration} of {b|hours}\" | t}}", "{\"a\":5400,\"b\":144000}", "1:30 of 40 h");
	is("{{\"{ x } {} {X} {a|gone} {\" | t}}", "{\"a\":1}", "{ x } {} {X} {a|gone} {");
	is("{{\"Adds {duration}\" | pattern}}", "{}", "Adds {duration}");
	is("{{\"\" | t}}", "{}", "");
	is("{{title | t}}", "{\"title\":\"Tags\"}", "Tags");
}
END_TEST

START_TEST(a_text_from_a_document_is_not_filled_twice)
{
	is("{{\"Hi {name}\" | t}}", "{\"name\":\"{secret}\",\"secret\":\"x\"}", "Hi {secret}");
}
END_TEST

static void write_file(const char *dir, const char *name, const char *text)
{
	const char *path = mem_printf(unit_mem, "%s/%s", dir, name);
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static char *folder(void)
{
	char *dir = mem_strdup(unit_mem, "/tmp/stint-view-XXXXXX");

	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(mkdir(mem_printf(unit_mem, "%s/mail", dir), 0700), 0);
	return dir;
}

static void remove_folder(const char *dir)
{
	static const char *const names[] = { "a.html", "manifest.json", "notes.md", "mail/a.txt",
		"mail", "" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		remove(mem_printf(unit_mem, "%s/%s", dir, names[i]));
}

START_TEST(loads_a_folder)
{
	const char *dir = folder(), *why, *const * names;
	struct json_object *doc = json_trusted(unit_mem, "{\"x\":\"<\"}");
	struct views *v;
	struct buf out;
	size_t count;

	write_file(dir, "a.html", "{{x}}{{>mail/a}}{{\"app.css\" | asset}}");
	write_file(dir, "mail/a.txt", "{{x}}");
	write_file(dir, "notes.md", "{{broken");
	write_file(dir, "manifest.json", "{\"app.css\":\"/static/app.1.css\"}");
	v = views_load(unit_mem, dir, mem_printf(unit_mem, "%s/manifest.json", dir), true, &why);
	ck_assert_msg(v, "%s", why);
	names = views_names(v, &count);
	ck_assert_uint_eq(count, 2);
	ck_assert_str_eq(names[0], "a");
	ck_assert_str_eq(names[1], "mail/a");
	buf_init(&out, unit_mem);
	ck_assert(view_render(v, "a", &env, &doc, 1, &out, &why));
	ck_assert_str_eq(out.data, "&lt;</static/app.1.css");
	remove_folder(dir);
}
END_TEST

START_TEST(a_folder_with_an_error_says_file_and_line)
{
	const char *dir = folder(), *why = NULL,
		   *manifest = mem_printf(unit_mem, "%s/manifest.json", dir);

	write_file(dir, "a.html", "\n{{#x}}");
	ck_assert_ptr_null(views_load(unit_mem, dir, NULL, true, &why));
	ck_assert_str_eq(why, "a.html:2: {{x}} is never closed");
	write_file(dir, "a.html", "\n{{\"gone.css\" | asset}}");
	write_file(dir, "manifest.json", "{}");
	ck_assert_ptr_null(views_load(unit_mem, dir, manifest, true, &why));
	ck_assert_str_eq(why, "a.html:2: there is no static file \"gone.css\"");
	write_file(dir, "manifest.json", "[1");
	ck_assert_ptr_null(views_load(unit_mem, dir, manifest, true, &why));
	ck_assert_ptr_nonnull(strstr(why, "manifest"));
	ck_assert_ptr_null(views_load(unit_mem, "/nowhere", NULL, true, &why));
	ck_assert_str_eq(why, "/nowhere: No such file or directory");
	ck_assert_ptr_null(
		views_load(unit_mem, mem_printf(unit_mem, "%s/mail", dir), NULL, true, &why));
	ck_assert_ptr_nonnull(strstr(why, "no templates here"));
	remove_folder(dir);
}
END_TEST

static void note_tag(void *data, const struct view_tag *tag)
{
	struct buf *out = data;

	buf_printf(out, "%s:%d%c%s|%s;", tag->view, tag->line, tag->sigil ? tag->sigil : '=',
		tag->name ? tag->name : "", tag->formatter ? tag->formatter : "");
}

START_TEST(a_lint_sees_every_tag)
{
	static const char text[] = "{{#a}}\n{{{b}}}{{&c}}{{/a}}{{\"x\" | t}}{{<p}}{{$k}}{{d | "
				   "json}}{{/k}}{{/p}}{{>p}}";
	struct views *v = views_new(unit_mem, false);
	const char *why;
	struct buf out;

	buf_init(&out, unit_mem);
	ck_assert(views_add(v, "m", text, strlen(text), true, &why) && views_link(v, &why));
	views_tags(v, note_tag, &out);
	ck_assert_str_eq(out.data, "m:1#a|;m:2{b|;m:2{c|;m:2=|t;m:2<p|;m:2$k|;m:2=d|json;m:2>p|;");
}
END_TEST

UNIT_MAIN("view_render", strict_wants_every_name, lenient_prints_nothing,
	strict_wants_every_partial, says_where_a_template_is_broken, two_of_one_name_are_refused,
	mail_is_not_escaped, every_dangerous_character_is_escaped, endless_recursion_is_an_error,
	a_page_without_end_is_an_error, sections_cannot_nest_without_end,
	later_documents_are_asked_first, empty_text_and_zero_are_nothing,
	formatters_follow_one_another, formatters_in_sections, pipe_can_be_a_delimiter,
	texts_are_filled, a_text_from_a_document_is_not_filled_twice, loads_a_folder,
	a_folder_with_an_error_says_file_and_line, a_lint_sees_every_tag)
