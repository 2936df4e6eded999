/*
 * What changes elsewhere shows here: a WebSocket tells that something changed, never what, and the page fetches itself anew
 * and is morphed. At most one fetch at a time and a few a second, and none while nobody looks: a hidden page catches up
 * when it is shown, and gives its socket back after some minutes.
 *
 * The page knows the position it was rendered at, and the socket begins behind it, so nothing in between is lost. Where
 * WebSockets do not come through it asks now and then; without JavaScript pages are as they always were.
 */
stint.live = (() => {
	"use strict";
	const { $, words, csrf, shown, visit } = stint;
	const FRAME = ["time_entry", "client", "project", "tag", "member", "organization", "notification"]; /* what the frame and the bar of every page show */
	const GAP_MS = 300, GAP_ALL_MS = 1500, HOLD_MS = 1000, SAY_AFTER_MS = 3000, HIDDEN_MS = 5 * 60000, POLL_MS = 45000, ANSWER_MS = 8000, BACK_OFF_MS = 30000;
	let socket = null, opened = false, connecting = false; /* opened: it has greeted */
	let own = true; /* hears of one's own time alone: a page that does not show others' need not be fetched for them */
	let tries = 0, unheard = 0; /* in a row; sockets that never opened although there was a ticket */
	let wanted = false, busy = false, last = 0; /* a fetch: wanted, under way, when the last one began */
	let again = 0, saying = 0, hiding = 0, asking = 0, fetching = 0; /* timers */

	const rendered = () => Number(document.body.dataset.position) || 0;
	const jitter = (ms) => ms / 2 + Math.random() * ms / 2;

	function say(text) {
		clearTimeout(saying);
		saying = 0;
		const place = $("#live");
		if (place && place.textContent !== text) place.textContent = text;
	}
	/* A restart of the service takes a second: not worth a word. */
	function away() {
		if (!saying && !$("#live")?.textContent) saying = setTimeout(() => say(words().away), SAY_AFTER_MS);
	}

	/* A field being edited, a refusal with what was typed, an answer that says something once: not now. */
	const holds = () => named("still") || Boolean($('[data-editing], main .note.bad, main [aria-invalid="true"], .bar [aria-invalid="true"]'));

	async function fetch_now() {
		if (busy || !wanted || document.hidden) return;
		if (holds()) { soon(HOLD_MS); return; }
		busy = true;
		wanted = false;
		last = Date.now();
		const ok = await visit.refresh(holds);
		busy = false;
		if (ok === null) { soon(HOLD_MS); return; }
		if (!ok) { wanted = true; away(); }
		if (wanted) soon(ok ? 0 : 2000);
	}
	function soon(more = 0) {
		wanted = true;
		clearTimeout(fetching);
		fetching = setTimeout(fetch_now, Math.max(30, last + (own ? GAP_MS : GAP_ALL_MS) - Date.now()) + more);
	}

	/* What a page names besides the frame: other nouns, and "everybody" where others' time is shown. */
	const named = (word) => ($("#main")?.dataset.live ?? "").split(" ").includes(word);
	const matters = (noun) => FRAME.includes(noun) || named(noun);

	function heard(event) {
		const said = JSON.parse(event.data);
		if (said.hello) {
			opened = true;
			tries = unheard = 0;
			say("");
		} else if (said.resync) soon(Math.random() * 1500);
		else if (said.pong) { clearTimeout(asking); asking = 0; say(""); }
		else if (said.position > rendered() && matters(said.noun)) soon();
	}

	function later(ms) {
		clearTimeout(again);
		again = setTimeout(connect, ms);
	}

	function lost(event) {
		const was_open = opened;
		socket = null;
		opened = false;
		clearTimeout(asking);
		asking = 0;
		/* The session is over: or it is another one by now (the organization was switched), and this page is on its way out. The
		   next ticket tells. */
		if (event.code === 4401) { tries = 0; later(400); return; }
		if (document.hidden && hiding === -1) return; /* given back */
		if (!was_open) unheard++;
		away();
		retry();
	}

	/* Sockets that do not come through: ask now and then, and try again at times. */
	function retry() {
		tries++;
		if (unheard >= 3) { say(""); later(jitter(POLL_MS * 1.5)); return; }
		later(jitter(Math.min(BACK_OFF_MS, 1000 * 2 ** Math.min(tries, 6))));
	}

	async function ticket() {
		const answer = await fetch("/api/v1/live/ticket", {
			method: "POST", headers: { "X-CSRF-Token": csrf(), "Content-Type": "application/json" }, body: JSON.stringify({ own }), credentials: "same-origin",
		});
		if (answer.status === 401) { location.assign("/login"); return null; }
		/* A page open for long may hold a token of before; fetching it again brings the one of now. */
		if (answer.status === 403) { soon(); throw new Error("refused"); }
		if (answer.status === 503 && answer.headers.get("Content-Type")?.includes("problem")) {
			const code = (await answer.json()).code;
			/* The service is there, live updates are not: then ask for the page itself, seldom. */
			if (code === "live_away") { say(""); soon(); later(jitter(POLL_MS * 1.5)); return null; }
		}
		if (!answer.ok) throw new Error(answer.statusText);
		return answer.json();
	}

	/* One that is being opened cannot be closed yet without the browser complaining. */
	function shut(one) {
		if (one?.readyState === WebSocket.CONNECTING) one.onopen = () => one.close();
		else one?.close();
	}
	/* Without a word: another page needs another socket. */
	function leave() {
		socket.onclose = socket.onmessage = null;
		shut(socket);
		socket = null;
		opened = false;
	}

	async function connect() {
		if (socket && own === named("everybody")) leave();
		if (socket || connecting || document.hidden) return;
		connecting = true;
		own = !named("everybody");
		clearTimeout(again);
		try {
			const got = await ticket();
			if (!got) return;
			if (got.position > rendered()) soon();
			socket = new WebSocket(`${got.url}?ticket=${got.ticket}&since=${rendered()}`);
			socket.onmessage = heard;
			socket.onclose = lost;
			if (unheard >= 3) say("");
		} catch {
			away();
			retry();
		} finally {
			connecting = false;
		}
	}

	/* After a sleep a socket may look open and be none. */
	function prove() {
		if (!opened || asking || socket.readyState !== WebSocket.OPEN) return;
		socket.send("ping");
		asking = setTimeout(() => { asking = 0; socket?.close(); }, ANSWER_MS);
	}

	function visible() {
		if (document.hidden) {
			hiding = setTimeout(() => { hiding = -1; shut(socket); }, HIDDEN_MS);
			return;
		}
		clearTimeout(hiding);
		hiding = 0;
		if (wanted) soon();
		if (socket) prove();
		else { tries = 0; connect(); }
	}

	if (!$("#bar") || !$('meta[name="csrf-token"]')) return {};
	document.addEventListener("visibilitychange", visible);
	addEventListener("online", () => { tries = 0; if (socket) prove(); else connect(); });
	addEventListener("offline", () => say(words().away));
	/* A page kept for Back must hold no socket. */
	addEventListener("pagehide", () => { shut(socket); clearTimeout(again); });
	shown(connect);
	return { connected: () => opened };
})();
