/*
 * Charts as SVG, made from the documents of dashboard and week:
 *
 *   {{week | bars}}        seven bars against the day's target
 *   {{today | timeline}}   one day as a line, its entries on it
 *   {{projects | ranked}}  projects by time, each a bar with its name
 *
 * Across, all is in percent, and down in pixels, instead of one viewBox that scales both: so a
 * chart fills any column, and its text stays at 12 px on a phone. Colours are attributes that name
 * the house's tokens, since style= is blocked. Every bar is a link to its entries, therefore the
 * chart is a group and not one image, whose children nobody could reach.
 *
 * The only HTML that C makes; everything from documents passes buf_html().
 */
#include "view/formatters.h"

#include <stdlib.h>
#include <string.h>

#include "base/iso8601.h"
#include "base/mem.h"
#include "base/str.h"
#include "view/i18n.h"
#include "domain/wall.h"

#define US 1000000
#define HOUR_S 3600
#define RANKS_MAX 10

#define BARS_TOP_PX 20
#define BARS_PLOT_PX 112
#define BARS_FOOT_PX 24
#define RANK_PX 40
#define LINE_PX 44

static void put_html(struct buf *out, const char *text)
{
	buf_html(out, text, strlen(text));
}

static const char *text_of(struct format *f, const struct value *v, const char *key)
{
	struct value found = value_get(v, key);
	size_t len;

	return value_text(f->mem, &found, &len);
}

static int64_t seconds_of(const struct value *v, const char *key)
{
	struct value found = value_get(v, key);
	int64_t seconds = 0;

	return value_int(&found, &seconds) && seconds > 0 ? seconds : 0;
}

static bool flag_of(const struct value *v, const char *key)
{
	struct value found = value_get(v, key);

	return value_is_true(&found);
}

static const char *duration_of(struct format *f, int64_t seconds)
{
	struct buf b;

	buf_init(&b, f->mem);
	put_duration(f, &b, seconds);
	return b.data;
}

/* A colour of the house; grey for what has none. */
static const char *colour_of(struct format *f, const struct value *v)
{
	struct value color = value_get(v, "color");
	int64_t n;

	return value_int(&color, &n) && n >= 1 && n <= 12 ? mem_printf(f->mem, "var(--c%d)", (int)n)
							  : "var(--field)";
}

static void open_chart(struct format *f, const char *class, int height, const char *label)
{
	buf_printf(f->out,
		"<svg class=\"chart %s\" width=\"100%%\" height=\"%d\" role=\"group\" "
		"aria-label=\"",
		class, height);
	put_html(f->out, label);
	buf_puts(f->out, "\">");
}

/* The title is its name, for the eye that rests on it and for a screen reader. */
static void open_link(struct format *f, const char *href, const char *label)
{
	buf_puts(f->out, "<a href=\"");
	put_html(f->out, href);
	buf_puts(f->out, "\"><title>");
	put_html(f->out, label);
	buf_puts(f->out, "</title>");
}

/* With a rim in the colour of the ground, so that lines behind it do not cross it. */
static void put_label(struct format *f, double x, double y, const char *anchor, const char *fill,
	const char *text)
{
	buf_printf(f->out,
		"<text x=\"%.2f%%\" y=\"%.1f\" font-size=\"12\" text-anchor=\"%s\" fill=\"var(--%s)\" "
		"stroke=\"var(--surface)\" stroke-width=\"3\" paint-order=\"stroke\" "
		"aria-hidden=\"true\">",
		x, y, anchor, fill);
	put_html(f->out, text);
	buf_puts(f->out, "</text>");
}

static struct json_object *list_of(const struct value *v, const char *key)
{
	struct value found = value_get(v, key);

	return json_object_is_type(found.json, json_type_array) ? found.json : NULL;
}

/* The height of the plot in seconds: the longest day or the highest target, never nothing. */
static int64_t bars_scale(struct json_object *days)
{
	int64_t most = HOUR_S;

	for (size_t i = 0; i < json_object_array_length(days); i++) {
		struct value day = value_of(json_object_array_get_idx(days, i));

		most = seconds_of(&day, "total_s") > most ? seconds_of(&day, "total_s") : most;
		most = seconds_of(&day, "target_s") > most ? seconds_of(&day, "target_s") : most;
	}
	return most;
}

static void put_target(struct format *f, int64_t target_s, double left, double width, int64_t scale)
{
	double at = BARS_TOP_PX + BARS_PLOT_PX - (double)target_s * BARS_PLOT_PX / (double)scale;

	buf_printf(f->out,
		"<line class=\"target\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%.1f\" "
		"y2=\"%.1f\" stroke=\"var(--muted)\" stroke-dasharray=\"3 3\"/>",
		left, left + width, at, at);
}

static void put_bar(
	struct format *f, const struct value *day, double left, double width, int64_t scale)
{
	static const int floor_px = BARS_TOP_PX + BARS_PLOT_PX;
	int64_t total_s = seconds_of(day, "total_s");
	double height = total_s ? (double)total_s * BARS_PLOT_PX / (double)scale : 2;
	const char *date = text_of(f, day, "date"), *duration = duration_of(f, total_s),
		   *weekday = "";
	bool today = flag_of(day, "is_today");
	struct buf when;
	struct date d;

	buf_init(&when, f->mem);
	if (date_parse(date, &d)) {
		put_date(f, &when, d.year, d.month, d.day);
		weekday = weekday_short(d.year, d.month, d.day);
	}
	open_link(f, mem_printf(f->mem, "/week?date=%s", date),
		mem_printf(f->mem, "%s, %s", duration, when.data));
	buf_printf(f->out,
		"<rect x=\"%.2f%%\" y=\"0\" width=\"%.2f%%\" height=\"%d\" fill=\"none\" "
		"pointer-events=\"all\"/>",
		left, width, floor_px + BARS_FOOT_PX);
	if (seconds_of(day, "target_s"))
		put_target(f, seconds_of(day, "target_s"), left, width, scale);
	buf_printf(f->out,
		"<rect class=\"bar-fill%s\" x=\"%.2f%%\" y=\"%.1f\" width=\"%.2f%%\" "
		"height=\"%.1f\" rx=\"2\" fill=\"var(--%s)\"/>",
		today ? " today" : "", left + width * 0.2, floor_px - height, width * 0.6, height,
		total_s ? "accent" : "line");
	put_label(f, left + width / 2, floor_px - height - 6, "middle", total_s ? "text" : "muted",
		duration);
	buf_puts(f->out, " "); /* "8:00 Mon", not "8:00Mon", to what reads the words alone */
	put_label(f, left + width / 2, floor_px + 18, "middle", today ? "text" : "muted", weekday);
	buf_puts(f->out, "</a>");
}

bool chart_bars(struct format *f)
{
	struct json_object *days = list_of(&f->in, "days");
	size_t count = days ? json_object_array_length(days) : 0;
	double width = count ? 100.0 / (double)count : 0;
	const char *total;

	if (!count)
		return format_refuse(f, "a week with its days");
	total = duration_of(f, seconds_of(&f->in, "total_s"));
	open_chart(f, "chart-bars", BARS_TOP_PX + BARS_PLOT_PX + BARS_FOOT_PX,
		mem_printf(f->mem, "%s: %s", _("Time by day"), total));
	buf_printf(f->out,
		"<line x1=\"0\" x2=\"100%%\" y1=\"%d\" y2=\"%d\" stroke=\"var(--line)\"/>",
		BARS_TOP_PX + BARS_PLOT_PX, BARS_TOP_PX + BARS_PLOT_PX);
	for (size_t i = 0; i < count; i++) {
		struct value day = value_of(json_object_array_get_idx(days, i));

		put_bar(f, &day, (double)i * width, width, bars_scale(days));
	}
	buf_puts(f->out, "</svg>");
	return true;
}

/* The part of a day that a timeline shows, in seconds since the day began. */
struct span {
	int64_t from, to;
	int64_t day_start_us;
};

static double percent_at(const struct span *s, int64_t at)
{
	if (at < s->from)
		at = s->from;
	if (at > s->to)
		at = s->to;
	return (double)(at - s->from) * 100 / (double)(s->to - s->from);
}

/* Eight to eighteen, widened to whole hours that hold every entry. */
static struct span day_span(struct format *f, struct json_object *segments)
{
	int64_t length_s = seconds_of(&f->in, "length_s");
	struct span s = { .from = 8 * HOUR_S, .to = 18 * HOUR_S };
	struct date d;

	if (length_s < HOUR_S)
		length_s = 24 * HOUR_S;
	if (date_parse(text_of(f, &f->in, "date"), &d))
		s.day_start_us = wall_day_start_us(f->env->zone, d.year, d.month, d.day);
	for (size_t i = 0; i < json_object_array_length(segments); i++) {
		struct value v = value_of(json_object_array_get_idx(segments, i));
		int64_t start_s = seconds_of(&v, "start_s"), end_s = seconds_of(&v, "end_s");

		s.from = start_s < s.from ? start_s / HOUR_S * HOUR_S : s.from;
		s.to = end_s > s.to ? (end_s + HOUR_S - 1) / HOUR_S * HOUR_S : s.to;
	}
	if (s.to > length_s)
		s.to = length_s;
	if (s.from >= s.to)
		s.from = 0;
	return s;
}

static const char *clock_at(struct format *f, const struct span *s, int64_t at)
{
	struct wall w = wall_at(f->env->zone, s->day_start_us + at * US);
	struct buf b;

	buf_init(&b, f->mem);
	put_clock_time(f, &b, w.hour * HOUR_S + w.minute * 60);
	return b.data;
}

/*
 * On a day with a change of clocks the hours on the wall are not the hours since it began: labels
 * are the wall's.
 */
static void put_hours(struct format *f, const struct span *s)
{
	bool wide = s->to - s->from > 14 * HOUR_S;
	int64_t step = (f->env->clock_12h ? (wide ? 6 : 4) : wide ? 4
								  : 2) *
		HOUR_S;

	for (int64_t at = (s->from + step - 1) / step * step; at <= s->to; at += step) {
		double x = percent_at(s, at);
		const char *anchor = x < 3 ? "start" : x > 97 ? "end"
							      : "middle";

		buf_printf(f->out,
			"<line x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"4\" y2=\"24\" "
			"stroke=\"var(--line)\"/>",
			x, x);
		put_label(f, x, 40, anchor, "muted", clock_at(f, s, at));
	}
}

static void put_segment(struct format *f, const struct span *s, const struct value *v)
{
	int64_t start_s = seconds_of(v, "start_s"), end_s = seconds_of(v, "end_s");
	double left = percent_at(s, start_s), width = percent_at(s, end_s) - left;
	bool running = flag_of(v, "running");
	const char *what = text_of(f, v, "label");

	open_link(f, mem_printf(f->mem, "/time-entries/%s", text_of(f, v, "entry_id")),
		mem_printf(f->mem, "%s, %s–%s", *what ? what : _("No description"),
			clock_at(f, s, start_s), running ? _("now") : clock_at(f, s, end_s)));
	buf_printf(f->out,
		"<rect class=\"segment%s\" x=\"%.3f%%\" y=\"8\" width=\"%.3f%%\" height=\"12\" "
		"rx=\"2\" fill=\"%s\"/></a>",
		running ? " running" : "", left, width < 0.4 ? 0.4 : width,
		running ? "var(--running)" : colour_of(f, v));
}

bool chart_timeline(struct format *f)
{
	struct json_object *segments = list_of(&f->in, "segments");
	struct span s;
	int64_t now_s;

	if (!segments)
		return format_refuse(f, "a day with its segments");
	s = day_span(f, segments);
	now_s = (f->env->now_us - s.day_start_us) / US;
	open_chart(f, "chart-timeline", LINE_PX,
		mem_printf(f->mem, "%s: %s", _("Timeline of the day"),
			duration_of(f, seconds_of(&f->in, "total_s"))));
	buf_puts(f->out,
		"<rect x=\"0\" y=\"8\" width=\"100%\" height=\"12\" rx=\"2\" "
		"fill=\"var(--hover)\"/>");
	put_hours(f, &s);
	for (size_t i = 0; i < json_object_array_length(segments); i++) {
		struct value v = value_of(json_object_array_get_idx(segments, i));

		put_segment(f, &s, &v);
	}
	if (now_s > s.from && now_s < s.to)
		buf_printf(f->out,
			"<line class=\"now\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"3\" y2=\"25\" "
			"stroke=\"var(--text)\"/>",
			percent_at(&s, now_s), percent_at(&s, now_s));
	buf_puts(f->out, "</svg>");
	return true;
}

/*
 * One project: its name, clipped where it would meet the number, the number, and the bar below
 * both.
 */
static void put_rank(struct format *f, const char *name, const char *colour, int64_t total_s,
	int64_t most_s, int row)
{
	double top = (double)row * RANK_PX;

	buf_printf(f->out,
		"<rect x=\"0\" y=\"%.0f\" width=\"100%%\" height=\"%d\" fill=\"none\" "
		"pointer-events=\"all\"/>",
		top, RANK_PX);
	buf_printf(f->out, "<svg x=\"0\" y=\"%.0f\" width=\"78%%\" height=\"24\">", top);
	put_label(f, 0, 17, "start", "text", name);
	buf_puts(f->out, "</svg>");
	put_label(f, 100, top + 17, "end", "text", duration_of(f, total_s));
	buf_printf(f->out,
		"<rect x=\"0\" y=\"%.0f\" width=\"100%%\" height=\"4\" rx=\"2\" "
		"fill=\"var(--line)\"/>",
		top + 26);
	buf_printf(f->out,
		"<rect class=\"rank-fill\" x=\"0\" y=\"%.0f\" width=\"%.2f%%\" height=\"4\" "
		"rx=\"2\" fill=\"%s\"/>",
		top + 26, most_s ? (double)total_s * 100 / (double)most_s : 0, colour);
}

static void put_project(struct format *f, const struct value *v, int64_t most_s, int row)
{
	const char *id = text_of(f, v, "id"), *name = text_of(f, v, "name"),
		   *client = text_of(f, v, "client");
	int64_t total_s = seconds_of(v, "total_s");

	if (!*name)
		name = _("No project");
	if (*client)
		name = mem_printf(f->mem, "%s · %s", name, client);
	open_link(f, *id ? mem_printf(f->mem, "/projects/%s", id) : "/timer",
		mem_printf(f->mem, "%s: %s", name, duration_of(f, total_s)));
	put_rank(f, name, colour_of(f, v), total_s, most_s, row);
	buf_puts(f->out, "</a>");
}

/* The list comes ranked; beyond the tenth the rest is one bar. */
bool chart_ranked(struct format *f)
{
	struct json_object *list =
		json_object_is_type(f->in.json, json_type_array) ? f->in.json : NULL;
	size_t count = list ? json_object_array_length(list) : 0,
	       shown = count > RANKS_MAX ? RANKS_MAX - 1 : count;
	int64_t most_s = 0, rest_s = 0;

	if (!list)
		return format_refuse(f, "a list of projects");
	for (size_t i = 0; i < count; i++) {
		struct value v = value_of(json_object_array_get_idx(list, i));

		most_s = seconds_of(&v, "total_s") > most_s ? seconds_of(&v, "total_s") : most_s;
		rest_s += i >= shown ? seconds_of(&v, "total_s") : 0;
	}
	most_s = rest_s > most_s ? rest_s : most_s;
	if (!count)
		return true;
	open_chart(
		f, "chart-ranked", (int)(shown + (count > shown)) * RANK_PX, _("Time by project"));
	for (size_t i = 0; i < shown; i++) {
		struct value v = value_of(json_object_array_get_idx(list, i));

		put_project(f, &v, most_s, (int)i);
	}
	if (count > shown)
		put_rank(f, _("Others"), "var(--field)", rest_s, most_s, (int)shown);
	buf_puts(f->out, "</svg>");
	return true;
}
