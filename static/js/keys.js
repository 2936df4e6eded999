/* The keyboard, and the two choices a browser remembers: theme and sidebar. */
(() => {
	"use strict";
	const { $, $$, visit, shown } = stint;
	const root = document.documentElement;
	const GO = { d: "/", t: "/timer", w: "/week", p: "/projects" };
	let waiting = 0; /* until when a letter after g counts */

	function typing(element) {
		return element?.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
	}

	function describe() {
		const field = $("#bar-description");
		field?.focus();
		field?.select();
	}

	const keys = {
		n: describe,
		s: () => ($("#stop") ?? $("#start .go"))?.click(),
		"/": () => {
			const field = $("[data-filter]");
			if (field) { field.focus(); field.select(); } else describe();
		},
		"?": () => $("#keys")?.showModal(),
		g: () => { waiting = Date.now() + 1500; },
	};

	document.addEventListener("keydown", (event) => {
		if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
		if (event.key === "Escape") {
			const menu = $("details.menu[open]");
			if (menu) { menu.open = false; $("summary", menu).focus(); }
			else if (typing(event.target)) event.target.blur();
			return;
		}
		if (typing(event.target) || $("dialog[open]") || !$("#bar")) return;
		const to = Date.now() < waiting && GO[event.key];
		waiting = 0;
		const act = to ? () => visit.go(to) : keys[event.key];
		if (!act) return;
		event.preventDefault();
		act();
	});

	function remember(name, value) {
		if (value) root.dataset[name] = value;
		else delete root.dataset[name];
		try {
			if (value) localStorage.setItem(`stint.${name}`, value);
			else localStorage.removeItem(`stint.${name}`);
		} catch { /* lasts for this page then */ }
	}

	function show_theme() {
		for (const button of $$("[data-theme-set]")) button.setAttribute("aria-pressed", String(button.dataset.themeSet === (root.dataset.theme ?? "")));
	}

	document.addEventListener("click", (event) => {
		const theme = event.target.closest("[data-theme-set]");
		if (theme) { remember("theme", theme.dataset.themeSet); show_theme(); }
		if (event.target.closest("[data-side-toggle]")) remember("side", root.dataset.side === "narrow" ? "" : "narrow");
		if (event.target.closest("[data-keys]")) keys["?"]();
		if (event.target.matches("dialog")) event.target.close();
	});
	shown(show_theme);
})();
