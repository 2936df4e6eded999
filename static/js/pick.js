/*
 * A list that is offered under a field while typing: the ARIA combobox with a listbox. The field keeps the focus; the
 * arrows move, Enter or Tab takes, Escape closes. Used for @project and #tag in the bar and for choosing in a row.
 */
stint.offer = (() => {
	"use strict";
	const { $, $$, make, words } = stint;
	let open = null;

	function close() {
		if (!open) return;
		open.box.remove();
		open.field.setAttribute("aria-expanded", "false");
		open.field.removeAttribute("aria-activedescendant");
		open = null;
	}

	function mark(index) {
		const options = $$("[role=option]", open.box);
		open.at = (index + options.length) % options.length;
		options.forEach((option, i) => option.setAttribute("aria-selected", String(i === open.at)));
		options[open.at]?.scrollIntoView({ block: "nearest" });
		open.field.setAttribute("aria-activedescendant", options[open.at]?.id ?? "");
	}

	function take() {
		const { items, at, pick } = open;
		close();
		pick(items[at]);
	}

	function option(item, i) {
		const row = make("div", { class: `item${item.color ? ` c${item.color}` : ""}`, role: "option", id: `offer-${i}` });
		if (item.dot) row.append(make("span", { class: "dot" }));
		row.append(make("span", { class: "cut" }, item.name));
		if (item.end) row.append(make("span", { class: "end cut" }, item.end));
		if (item.on) row.append(make("span", { class: "end" }, "✓"));
		row.addEventListener("mousedown", (event) => { event.preventDefault(); open.at = i; take(); });
		return row;
	}

	/* Shows items under field; pick(item) when one is taken. */
	function show(field, label, items, pick, { x } = {}) {
		close();
		const box = make("div", { class: "pop offer", role: "listbox", id: "offer", "aria-label": label }, ...items.map(option));
		document.body.append(box);
		const at = field.getBoundingClientRect();
		box.style.left = `${Math.max(8, Math.min(x ?? at.left, innerWidth - box.offsetWidth - 8))}px`;
		const below = innerHeight - at.bottom;
		if (below < box.offsetHeight + 8 && at.top > below) box.style.top = `${Math.max(8, at.top - box.offsetHeight - 4)}px`;
		else box.style.top = `${at.bottom + 4}px`;
		for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-controls", "offer"], ["aria-expanded", "true"]]) field.setAttribute(name, value);
		open = { field, box, items, pick, at: 0 };
		mark(Math.max(0, items.findIndex((item) => item.on)));
	}

	/* True when the key was for the list. */
	function key(event) {
		if (!open || open.field !== event.target) return false;
		if (event.key === "ArrowDown") mark(open.at + 1);
		else if (event.key === "ArrowUp") mark(open.at - 1);
		else if (event.key === "Enter" || event.key === "Tab") take();
		else if (event.key === "Escape") close();
		else return false;
		event.preventDefault();
		event.stopPropagation();
		return true;
	}

	/* What there is to choose, read from the bar, which every page carries. */
	function projects() {
		return $$("#bar-project option").map((o) => ({ id: o.value, name: o.textContent, color: o.dataset.color, end: o.dataset.client, billable: o.dataset.billable === "true", dot: true }));
	}
	function tags() {
		return $$("#bar .bar-tags input[type=checkbox]").map((box) => ({ id: box.value, name: box.closest("label").textContent.trim() }));
	}
	/* Those that match what was typed; beginnings of words first. */
	function matching(items, typed) {
		const want = typed.trim().toLocaleLowerCase();
		const score = (item) => {
			const name = `${item.name} ${item.end ?? ""}`.toLocaleLowerCase();
			return name.startsWith(want) ? 0 : name.includes(` ${want}`) ? 1 : name.includes(want) ? 2 : 9;
		};
		return items.map((item) => [score(item), item]).filter(([n]) => n < 9).sort((a, b) => a[0] - b[0]).map(([, item]) => item);
	}

	document.addEventListener("keydown", key, true);
	document.addEventListener("focusout", (event) => { if (open?.field === event.target) close(); });
	addEventListener("resize", close);
	return { show, close, projects, tags, matching, none: () => words().nothing };
})();
