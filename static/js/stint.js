/*
 * What the other scripts share: words in the person's language, small helpers, the quiet message below.
 *
 * Every page works without any of this. The scripts make it quicker: they never hold data of their own, and what
 * the server answers is what is shown. Joined in order by tools/build-assets; `stint` is their one common name.
 */
const stint = (() => {
	"use strict";
	const $ = (selector, within = document) => within.querySelector(selector);
	const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
	const words = () => $("#words")?.dataset ?? {};
	const csrf = () => $('meta[name="csrf-token"]').content;

	/* An element: make("button", {class: "ib", type: "button"}, "text", child …). */
	function make(tag, attributes = {}, ...children) {
		const element = document.createElement(tag);
		for (const [name, value] of Object.entries(attributes)) {
			if (value !== false && value !== null) element.setAttribute(name, value === true ? "" : value);
		}
		element.append(...children);
		return element;
	}

	let leaving = 0;
	function fade() {
		clearTimeout(leaving);
		const box = $("#flash");
		if (!box?.firstElementChild) return;
		leaving = setTimeout(() => {
			if (box.matches(":hover, :focus-within")) fade();
			else box.replaceChildren();
		}, 8000);
	}

	function hush() {
		clearTimeout(leaving);
		$("#flash")?.replaceChildren();
	}

	/* Says something quietly; undo, when given, is what takes it back. */
	function say(text, undo) {
		const toast = make("div", { class: "toast" }, make("span", { class: "grow" }, text));
		if (undo) {
			const button = make("button", { class: "link", type: "button" }, words().undo);
			button.addEventListener("click", () => { hush(); undo(); });
			toast.append(button);
		}
		$("#flash")?.replaceChildren(toast);
		fade();
	}

	/* Runs now and again whenever a page has been put in place. */
	function shown(fn) {
		document.addEventListener("stint:shown", fn);
		if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", fn);
		else fn();
	}

	document.addEventListener("click", (event) => {
		if (event.target.closest("[data-close]")) hush();
		for (const open of $$("details.menu[open]")) {
			if (!open.contains(event.target)) open.open = false;
		}
		const to = event.target.closest('a[href^="#"]'), folded = to && document.getElementById(to.hash.slice(1))?.closest("details");
		if (folded) folded.open = true;
	});
	document.addEventListener("toggle", (event) => {
		const menu = event.target;
		if (menu.matches?.("details.menu.add[open], details.bar-when[open], details.bar-next[open]")) $("input:not([type=hidden])", menu)?.focus();
	}, true);
	/* A button beside a field that holds what is to be copied. */
	document.addEventListener("click", (event) => {
		const button = event.target.closest("[data-copy]");
		if (!button) return;
		const field = $(button.dataset.copy);
		field.select();
		navigator.clipboard?.writeText(field.value).then(() => say(button.dataset.copied), () => {});
	});
	shown(fade);

	return { $, $$, words, csrf, make, say, hush, shown };
})();
