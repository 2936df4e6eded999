/*
 * The timer bar. While nothing runs it understands "@project #tag 1h30" in the line itself; while something runs
 * each change is saved when it is made, and the clock never stops for it.
 */
(() => {
	"use strict";
	const { $, $$, words, say, shown, offer, visit } = stint;
	/* 1h30, 1h 30m, 1.5h, 90m, 90min at either end of the line: a duration. 10:30 is not: people write times so. */
	const LASTING = String.raw`\d{1,3}h(?: ?\d{1,2}m?)?|\d{1,3}[.,]\d{1,2}h|\d{1,4}m(?:in)?`;
	const AT_END = new RegExp(`(?:^|\\s)(${LASTING})\\s*$`, "i"), AT_START = new RegExp(`^\\s*(${LASTING})(?:\\s|$)`, "i");

	function duration_of(text) {
		const found = text.match(AT_END) ?? text.match(AT_START);
		if (!found) return null;
		return { text: found[1], rest: text.replace(found[0], " ").replace(/\s+/g, " ").trim() };
	}

	function seconds_of(text) {
		const [, hours, minutes] = text.toLowerCase().match(/^(?:([\d.,]+)h)? ?(?:(\d+)m?(?:in)?)?$/) ?? [];
		return Math.round(Number((hours ?? "0").replace(",", ".")) * 3600 + Number(minutes ?? 0) * 60);
	}

	function written(s) {
		if (document.body.dataset.decimal !== undefined) return (s / 3600).toFixed(2);
		return `${Math.floor(s / 3600)}:${String(Math.floor(s / 60) % 60).padStart(2, "0")}`;
	}

	/* The dot beside the project and the number of tags follow what is chosen. */
	function reflect() {
		const form = $("[data-bar]");
		if (!form) return;
		const option = $("[data-project]", form).selectedOptions[0];
		$("[data-dot]", form).className = `dot${option?.dataset.color ? ` c${option.dataset.color}` : ""}`;
		const chosen = $$(".bar-tags :checked", form).length;
		$("[data-count]", form).textContent = chosen || "";
	}

	function hint() {
		const form = $('[data-bar="idle"]'), said = $("[data-said]", form ?? document);
		if (!form || !said) return;
		const found = duration_of($("[data-describe]", form).value);
		said.textContent = found ? `${words().finished} ${written(seconds_of(found.text))}` : "";
	}

	/* The @ or # word the caret stands in. */
	function token(field) {
		const before = field.value.slice(0, field.selectionStart);
		const found = before.match(/(?:^|\s)([@#])([^@#]{0,40})$/);
		return found && { kind: found[1], typed: found[2], from: before.length - found[2].length - 1, to: before.length };
	}

	function drop(field, { from, to }) {
		const rest = (field.value.slice(0, from).trimEnd() + " " + field.value.slice(to).trimStart());
		field.value = rest.trim() ? rest.replace(/^\s+/, "") : "";
		field.setSelectionRange(Math.min(from, field.value.length), Math.min(from, field.value.length));
		field.focus();
	}

	function change(element) {
		element.dispatchEvent(new Event("change", { bubbles: true }));
	}

	function suggest(field) {
		const now = token(field);
		if (!now) return offer.close();
		const is_project = now.kind === "@";
		const items = offer.matching(is_project ? offer.projects() : offer.tags(), now.typed).slice(0, 12);
		if (!items.length) return offer.close();
		offer.show(field, is_project ? words().projects : words().tags, items, (item) => {
			drop(field, now);
			if (is_project) {
				const select = $("[data-project]", field.form);
				select.value = item.id;
				change(select);
			} else {
				const box = $(`.bar-tags input[value="${CSS.escape(item.id)}"]`, field.form);
				box.checked = true;
				change(box);
			}
			hint();
		});
		return undefined;
	}

	/* While running: one field at a time, the moment it is left. */
	function save(field) {
		const form = field.form;
		const body = () => {
			const now = $("#running") ?? form;
			const data = new FormData(now);
			return [...data].filter(([name, value]) => ["csrf", "version", "return_to"].includes(name)
				|| (name === field.name && (name !== "billable" || value === String(field.checked))));
		};
		const was = field.dataset.was ?? field.defaultValue;
		visit.send(form.action, body, { sent: form, quiet: true, stay: true }).then(({ ok, reason }) => {
			if (ok) say(words().saved);
			else if (reason) {
				const said = $("[data-said]", form);
				if (said) said.textContent = reason;
				field.setAttribute("aria-invalid", "true");
			}
			return was;
		});
	}

	document.addEventListener("input", (event) => {
		if (!event.target.matches("[data-describe]")) return;
		suggest(event.target);
		hint();
	});
	document.addEventListener("change", (event) => {
		const field = event.target, form = field.form;
		if (!form?.matches("[data-bar]")) return;
		if (field.matches("[data-project]") && form.dataset.bar === "idle") {
			const option = field.selectedOptions[0];
			$("[data-billable-box]", form).checked = option?.dataset.billable === "true";
		}
		reflect();
		if (form.dataset.bar === "running" && !field.matches(".bar-when *")) save(field);
	});
	/* Enter in a running line saves through the change that follows; a second sending would only race it. */
	document.addEventListener("submit", (event) => {
		const form = event.target;
		if (!form.matches('[data-bar="running"]') || document.activeElement?.closest(".bar-when")) return;
		event.preventDefault();
		document.activeElement?.blur();
	}, true);
	document.addEventListener("formdata", (event) => {
		const form = event.target;
		if (!form.matches('[data-bar="idle"]')) return;
		const found = duration_of(event.formData.get("description") ?? "");
		if (!found || event.formData.get("duration_s")) return;
		event.formData.set("description", found.rest);
		event.formData.set("duration_s", found.text);
	});
	shown(() => { reflect(); if ($('[data-bar="idle"] [data-said]:empty')) hint(); });
})();
