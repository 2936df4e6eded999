/* Before the first paint: what the person chose for this browser, so that nothing flickers. */
(() => {
	const root = document.documentElement;
	root.classList.add("js");
	try {
		for (const name of ["theme", "side"]) {
			const value = localStorage.getItem(`stint.${name}`);
			if (value) root.dataset[name] = value;
		}
	} catch { /* storage may be forbidden; the defaults stand */ }
})();
