/* The running clock: in the bar, in the row, in the title of the tab; and its sign in the icon of the tab. */
(() => {
	"use strict";
	const { $, $$, shown } = stint;
	let skew = 0, title = document.title, timer = 0;

	function text(seconds) {
		const s = Math.max(0, Math.floor(seconds));
		const two = (n) => String(n).padStart(2, "0");
		return `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
	}

	/* Hours and minutes, as the server writes totals for this person. */
	function sum(seconds) {
		if (document.body.dataset.decimal !== undefined) return (seconds / 3600).toFixed(2);
		return text(seconds).slice(0, -3);
	}

	/* Totals that a running entry is part of go on with it; those of other days stand. */
	function tick_sums(now) {
		const since = (now - Date.parse(document.body.dataset.now)) / 1000;
		for (const total of $$("[data-sum]")) {
			const day = total.closest(".day");
			if (!$("#bar [data-since]") || (day && !$(".is-running", day))) continue;
			const value = sum(Number(total.dataset.sum) + since);
			if (total.textContent !== value) total.textContent = value;
		}
	}

	function tick() {
		const now = Date.now() + skew;
		for (const clock of $$("[data-since]")) {
			const value = text((now - Date.parse(clock.dataset.since)) / 1000);
			if (clock.textContent !== value) clock.textContent = value;
		}
		tick_sums(now);
		const main = $("#bar [data-since]");
		const what = main && $("#bar-description").value;
		const wanted = main ? `${main.textContent} · ${what || title}` : title;
		if (document.title !== wanted) document.title = wanted;
		clearTimeout(timer);
		timer = setTimeout(tick, 1000 - (now % 1000) + 5);
	}

	shown((event) => {
		const now = Date.parse(document.body.dataset.now);
		if (now) skew = now - Date.now();
		if (event?.type === "stint:shown" || !title) title = document.title;
		const icon = $("#favicon");
		const href = $("#bar [data-since]") ? icon.dataset.running : icon.dataset.idle;
		if (icon.getAttribute("href") !== href) icon.setAttribute("href", href);
		tick();
	});
	document.addEventListener("visibilitychange", () => { if (!document.hidden) tick(); });
})();
