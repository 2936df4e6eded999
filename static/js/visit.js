/*
 * Going from page to page without throwing the page away: links and forms are fetched, and the answer, always a whole
 * page, is morphed into this one. So the clock runs on, focus and scroll stay, and what is being typed is not lost.
 *
 * Our own and not htmx: the pages need this one thing of it, and htmx would keep copies of pages in the browser's
 * storage for its history, where they outlive a sign-out. Here Back fetches again. Whatever is not an ordinary page
 * of this layout (sign-in, errors, files, another release) is left to the browser.
 */
stint.visit = (() => {
	"use strict";
	const { $, $$, words, say, hush } = stint;
	const root = document.documentElement;
	let current = null; /* the GET under way, which a newer one replaces */
	let saving = Promise.resolve(); /* writes go one after another, so that each knows the version the last one made */

	const path = (url) => url.split(/[?#]/)[0];
	const release = (doc) => doc.querySelector('link[rel="stylesheet"]')?.getAttribute("href");
	const is_same_house = (doc) => doc.body?.querySelector("#bar") && $("#bar") && release(doc) === release(document);

	const is_dirty = (field) => {
		if (!field.matches("input, textarea") || field.matches("[type=hidden]")) return false;
		return field.type === "checkbox" || field.type === "radio" ? field.checked !== field.defaultChecked : field.value !== field.defaultValue;
	};
	/* A choice is only kept from a change that nobody asked for: what answers a choice may well set another. */
	const is_chosen = (field) => {
		if (!field.matches("select")) return false;
		const given = [...field.options].findLast((option) => option.defaultSelected) ?? field.options[0];
		return field.selectedOptions[0] !== given;
	};

	/*
	 * Keeps what morphing would take away: texts half typed, folds that stand open, a field being edited in place. Of the form
	 * that was sent only what was typed after it left.
	 */
	function callbacks(stays, sent, as_sent, quiet) {
		return {
			/* What a script put there (an offered list) the server does not know. */
			beforeNodeRemoved: (node) => !(quiet && node.id === "offer"),
			beforeNodeMorphed(was, is) {
				if (was.nodeType !== 1) return true;
				if (was.id === "flash" && !is.firstElementChild) return false; /* what was said stays until it fades */
				if (was.id === "live") return false; /* whether there is a connection is no matter of the page */
				if (!stays) return true;
				if (was.dataset.editing !== undefined) return false;
				/* A form in which somebody is typing stays whole, with the version it was opened with: or they would overwrite, without
				   being told, what somebody else has saved meanwhile. */
				if (quiet && was.matches("main form") && [...was.elements].some((field) => is_dirty(field) || is_chosen(field))) return false;
				const dirty = is_dirty(was);
				const answered = sent && was.form === sent && (!as_sent.has(was) || as_sent.get(was) === was.value);
				return !(((dirty && !answered) || (quiet && is_chosen(was))) && was.name === is.name);
			},
			beforeAttributeUpdated: (name, node) => !(name === "open" && (quiet || (stays && node.closest(".fold, dialog")))),
		};
	}

	function put(doc, { url, stays, sent, as_sent, part, quiet }) {
		const selector = part ?? "body";
		const was = $(selector), is = doc.querySelector(selector);
		if (!was || !is) return;
		Idiomorph.morph(was, is, { morphStyle: "outerHTML", callbacks: callbacks(stays, sent, as_sent, quiet) });
		if (!part) {
			document.title = doc.title;
			$('meta[name="csrf-token"]').content = doc.querySelector('meta[name="csrf-token"]').content;
		}
		document.dispatchEvent(new CustomEvent("stint:shown", { detail: { url } }));
	}

	/* After a move focus goes to the content, so that the next Tab and a screen reader begin there. */
	function settle(stays, y) {
		const wrong = $('main [aria-invalid="true"], .bar [aria-invalid="true"]');
		if (wrong) wrong.focus();
		else if (!stays) $("#main").focus({ preventScroll: true });
		if (y !== undefined) scrollTo(0, y);
	}

	async function fetch_page(url, { quiet, ...options }) {
		if (!quiet) root.classList.add("is-loading");
		try {
			const answer = await fetch(url, { headers: { Accept: "text/html" }, credentials: "same-origin", ...options });
			if (!answer.headers.get("Content-Type")?.startsWith("text/html")) return { answer };
			return { answer, doc: new DOMParser().parseFromString(await answer.text(), "text/html") };
		} finally {
			if (!quiet) root.classList.remove("is-loading");
		}
	}

	/* The words of a page that tells of a failure. */
	function reason(doc) {
		const said = doc?.querySelector(".note.bad, .error")?.textContent.trim();
		return said || [...(doc?.querySelectorAll("main h1, main h1 + p") ?? [])].map((e) => e.textContent.trim()).join(": ") || words().failed;
	}

	async function go(url, { push = true, y = 0 } = {}) {
		current?.abort();
		const mine = (current = new AbortController());
		let page;
		try {
			page = await fetch_page(url, { signal: mine.signal });
		} catch (problem) {
			if (problem.name !== "AbortError") say(words().offline);
			return;
		}
		if (!page.doc || !is_same_house(page.doc)) {
			location.assign(url);
			return;
		}
		const to = page.answer.url + (url.includes("#") ? url.slice(url.indexOf("#")) : "");
		const stays = path(to) === path(location.href);
		if (push) {
			history.replaceState({ y: scrollY }, "");
			history[to === location.href ? "replaceState" : "pushState"]({ y: 0 }, "", to);
		}
		const show = () => { put(page.doc, { url: to, stays }); settle(stays, y); if (push && location.hash) $(location.hash)?.focus(); };
		if (document.startViewTransition && !stays && !matchMedia("(prefers-reduced-motion: reduce)").matches) document.startViewTransition(show);
		else show();
	}

	/*
	 * Sends a form's fields. Resolves to {ok, doc, reason}. When it worked, the page that came is shown; when it did
	 * not, the page with the messages is, or only the part named, or nothing when quiet: then the caller tells. With stay
	 * the address remains; ready runs just before a good answer is put in place. What was said of an earlier one goes: a "Saved"
	 * must not be read as this one's.
	 */
	function send(url, body, { sent, part, quiet, stay, ready } = {}) {
		const as_sent = new Map([...(sent?.elements ?? [])].map((field) => [field, field.value]));
		hush();
		const run = async () => {
			let page;
			try {
				page = await fetch_page(url, { method: "POST", body: new URLSearchParams(body()) });
			} catch {
				if (!quiet) say(words().offline);
				return { ok: false, reason: words().offline };
			}
			const { answer, doc } = page;
			const home = doc && is_same_house(doc);
			if (answer.ok && home) {
				const to = stay ? location.href : answer.url;
				const stays = path(to) === path(location.href);
				if (to !== location.href) history.pushState({ y: 0 }, "", to);
				ready?.();
				put(doc, { url: to, stays, sent, as_sent });
				if (!stays) settle(false, 0);
				return { ok: true, doc };
			}
			if (answer.ok || answer.status === 401) {
				location.assign(answer.redirected ? answer.url : "/login");
				return { ok: false };
			}
			if (quiet) return { ok: false, doc, reason: reason(doc) };
			if (home && answer.status < 500 && (part || doc.querySelector("[aria-invalid], .note.bad"))) {
				put(doc, { url, stays: true, sent, as_sent, part });
				settle(true);
			} else say(reason(doc));
			return { ok: false, doc, reason: reason(doc) };
		};
		const turn = saving.then(run, run);
		saving = turn.catch(() => {});
		return turn;
	}

	/*
	 * This page once more, because something on it changed elsewhere. Nobody asked for it, so it interrupts nothing: focus,
	 * scroll, what is typed and what stands open stay. Gives false when it could not be had, null when holds() says that now is not
	 * the time: then it is worth another try.
	 */
	async function refresh(holds) {
		const url = location.href, before = current;
		await saving;
		let page;
		try {
			page = await fetch_page(url, { quiet: true });
		} catch {
			return false;
		}
		if (location.href !== url || current !== before) return true; /* somewhere else by now, and so fresh */
		if (holds()) return null; /* somebody has begun to edit meanwhile */
		if (page.answer.redirected && new URL(page.answer.url).pathname === "/login") {
			location.assign(page.answer.url);
			return true;
		}
		if (!page.answer.ok || !page.doc || !is_same_house(page.doc)) return page.answer.status < 500;
		/*
		 * Something was started or stopped elsewhere: the bar becomes another form whose fields have the same names. What was being typed
		 * is not about that, and waits where one says what comes next.
		 */
		const kind = (doc) => doc.querySelector("[data-bar]")?.dataset.bar;
		const turned = kind(document) !== kind(page.doc), bar = $("[data-bar]");
		const field = $("[data-describe]", bar ?? document);
		const typed = turned && field?.value !== field?.defaultValue ? field?.value : "";
		if (turned) bar?.reset();
		put(page.doc, { url, stays: true, quiet: true });
		const next = $("#switch-description") ?? $('[data-bar="idle"] [data-describe]');
		if (typed && next && !next.value) next.value = typed;
		return true;
	}

	function submit(event) {
		const form = event.target, by = event.submitter;
		const method = (by?.getAttribute("formmethod") ?? form.method).toLowerCase();
		if (event.defaultPrevented || form.dataset.full !== undefined || method === "dialog") return;
		event.preventDefault();
		const url = by?.hasAttribute("formaction") ? by.formAction : form.action;
		if (method === "get") {
			go(`${path(url)}?${new URLSearchParams([...new FormData(form)].filter(([, value]) => value))}`);
			return;
		}
		if (form.ariaBusy === "true" || by?.ariaBusy === "true") return; /* sent twice is sent once */
		const busy = form.id === "act" ? by : form;
		if (busy) busy.ariaBusy = "true";
		const data = [...new FormData(form, by)];
		send(url, () => data, { sent: form, part: form.closest("#bar") ? "#bar" : undefined })
			.finally(() => { if (busy) busy.ariaBusy = null; });
	}

	function click(event) {
		const link = event.target.closest("a[href]");
		if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
		const href = link.href.baseVal !== undefined ? new URL(link.href.baseVal, location).href : link.href; /* SVG has its own kind */
		const url = new URL(href);
		if (url.origin !== location.origin || link.target || link.hasAttribute("download") || link.dataset.full !== undefined) return;
		if (url.hash && path(href) === path(location.href) && url.search === location.search) return;
		event.preventDefault();
		go(href);
	}

	if ($("#bar")) {
		history.scrollRestoration = "manual";
		history.replaceState({ y: scrollY }, "");
		addEventListener("popstate", (event) => {
			if (event.state) go(location.href, { push: false, y: event.state.y ?? 0 }); /* without: a place on this very page */
		});
		addEventListener("pagehide", () => history.replaceState({ y: scrollY }, ""));
		let later = 0;
		addEventListener("scroll", () => {
			clearTimeout(later);
			later = setTimeout(() => history.replaceState({ y: scrollY }, ""), 150);
		}, { passive: true });
		document.addEventListener("click", click);
		document.addEventListener("submit", submit);
	}
	addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
	return { go, send, refresh };
})();
