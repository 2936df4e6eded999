/*
 * Editing an entry where it stands. A text turns into a field of its own size; leaving it saves that one field, Escape
 * leaves it as it was, and a refusal is said beside it with what was typed still there. Undo sends the old value back.
 */
(() => {
	"use strict";
	const { $, $$, words, csrf, make, say, offer, visit } = stint;
	/* A row's id ends with its entry's; one over midnight has a row on each day. */
	const entry_of = (cell) => cell.closest(".entry").id.slice(-36);
	const row_of = (id) => $(`.entry[id$="${CSS.escape(id)}"]`);

	function body(id, values) {
		return () => [["csrf", csrf()], ["version", row_of(id)?.dataset.version ?? ""], ["return_to", location.pathname + location.search],
			...(document.body.dataset.decimal !== undefined ? [["duration_style", "decimal"]] : []), ...values];
	}

	function flash_row(id) {
		const row = row_of(id);
		row?.classList.add("just-saved");
		setTimeout(() => row?.classList.remove("just-saved"), 900);
	}

	/* Sends values ([[name, value] …]); back are the values that take it back. */
	async function save(id, values, back, ready) {
		const result = await visit.send(`/time-entries/${id}`, body(id, values), { quiet: true, stay: true, ready });
		if (result.ok) {
			flash_row(id);
			say(words().saved, back && (() => save(id, back).then((r) => say(r.ok ? words().undone : r.reason))));
		}
		return result;
	}

	function message_for(result, name) {
		return result.doc?.getElementById(`${name.replaceAll("_", "-")}-error`)?.textContent.trim() || result.reason || words().failed;
	}

	/* description, start, end, duration_s: one line of text. */
	function edit_text(cell) {
		const name = cell.dataset.edit, id = entry_of(cell);
		const old = $(".muted", cell) ? "" : cell.textContent.trim();
		const field = make("input", { value: old, "aria-label": words()[name], autocomplete: "off", maxlength: name === "description" ? 500 : 20, title: name === "duration_s" && words().bare });
		const box = make("span", { class: `in-place ${cell.className}`, "data-editing": "" }, field);
		/* Undo gives back the very instant: what is shown has no seconds, and does not say which of two hours it was. */
		const instant = (end) => $(`[data-edit="${end}"] time`, cell.closest(".entry"))?.dateTime;
		const back = { start: [["started_at", instant("start")]], end: [["ended_at", instant("end")]], duration_s: [["ended_at", instant("end")]] }[name] ?? [[name, old]];
		let done = false;
		const leave = (refocus) => {
			done = true;
			box.replaceWith(cell);
			if (refocus) cell.focus();
		};
		const finish = async (refocus) => {
			const value = field.value.trim();
			if (done || box.classList.contains("saving")) return;
			if (value === old) return leave(refocus);
			box.classList.add("saving");
			const result = await save(id, [[name, value]], back, () => leave(refocus));
			box.classList.remove("saving");
			if (result.ok) return;
			$(".error", box)?.remove();
			const error = make("span", { class: "error", id: "in-place-error", role: "alert" }, message_for(result, name));
			box.append(error);
			field.setAttribute("aria-invalid", "true");
			field.setAttribute("aria-describedby", "in-place-error");
			field.focus();
		};
		field.addEventListener("keydown", (event) => {
			if (event.key === "Enter") { event.preventDefault(); finish(true); }
			if (event.key === "Escape") { event.stopPropagation(); leave(true); }
		});
		field.addEventListener("blur", () => finish(false));
		cell.replaceWith(box);
		field.focus();
		field.select();
	}

	/* project_id, tags: a list with a field to narrow it. */
	function edit_choice(cell) {
		const name = cell.dataset.edit, id = entry_of(cell);
		const many = name === "tags";
		const old = cell.dataset.value.trim() ? cell.dataset.value.trim().split(/\s+/) : [];
		const chosen = new Set(old);
		const label = many ? words().tags : words().projects;
		const field = make("input", { placeholder: words().search, "aria-label": label, autocomplete: "off" });
		const box = make("span", { class: `in-place ${cell.className}`, "data-editing": "" }, field);
		let done = false;
		const values = (ids) => (many ? [["tags", ""], ...ids.map((tag) => ["tags", tag])] : [[name, ids[0] ?? ""]]);
		const back = (refocus) => {
			box.replaceWith(cell);
			if (refocus) cell.focus();
		};
		/* What was chosen stands there while it is on its way, and not what was there before. */
		const leave = async (refocus) => {
			if (done) return;
			done = true;
			offer.close();
			const now = [...chosen];
			if (now.join() === old.join()) return back(refocus);
			field.value = (many ? offer.tags() : offer.projects()).filter((item) => now.includes(item.id) || (!many && !now.length && !item.id)).map((item) => item.name).join(", ");
			field.readOnly = true;
			box.classList.add("saving");
			const result = await save(id, values(now), values(old), () => back(refocus && document.activeElement === field));
			if (result.ok) return;
			back(false);
			say(message_for(result, name));
		};
		const list = () => {
			const items = offer.matching(many ? offer.tags() : offer.projects(), field.value).map((item) => ({ ...item, on: chosen.has(item.id) || (!many && !chosen.size && !item.id) }));
			if (!items.length) return offer.close();
			return offer.show(field, label, items, (item) => {
				if (!many) {
					chosen.clear();
					if (item.id) chosen.add(item.id);
					leave(true);
					return;
				}
				if (!chosen.delete(item.id)) chosen.add(item.id);
				field.value = "";
				list();
			});
		};
		field.addEventListener("input", list);
		field.addEventListener("keydown", (event) => {
			if (event.key === "Escape") leave(true);
			if (event.key === "Enter") { event.preventDefault(); leave(true); }
		});
		field.addEventListener("blur", () => leave(false));
		cell.replaceWith(box);
		field.focus();
		list();
	}

	document.addEventListener("click", (event) => {
		const cell = event.target.closest(".entry [data-edit]");
		if (!cell || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
		event.preventDefault();
		if (cell.dataset.edit === "project_id" || cell.dataset.edit === "tags") edit_choice(cell);
		else edit_text(cell);
	}, true);

	/* The filter of a list narrows it while typing; Enter asks the server, which knows all of it. */
	document.addEventListener("input", (event) => {
		if (!event.target.matches("[data-filter]")) return;
		const want = event.target.value.trim().toLocaleLowerCase();
		for (const row of $$("[data-filtered] tbody tr")) row.hidden = !row.textContent.toLocaleLowerCase().includes(want);
	});
	/* A form with nothing to type saves itself. */
	document.addEventListener("change", (event) => event.target.form?.matches("[data-autosave]") && event.target.form.requestSubmit());
	/* Who registers lives where their browser does. */
	for (const zone of $$("input[data-zone]")) zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone || zone.value;
})();
