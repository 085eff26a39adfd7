/* Keeps the stewards' page up to date while somebody looks at it; what has the focus, or is open, is left alone. */
(() => {
  const age = () => document.querySelector("[data-refresh-every]");
  const busy = (part) => part.contains(document.activeElement) || part.querySelector("details[open]");
  // On the page of one source, what it does now is read aloud when it changes.
  const announce = (now) => {
    const told = document.querySelector("[data-announce]");
    if (told && told.textContent !== now) told.textContent = now;
  };
  const renew = (fresh) => {
    document.querySelectorAll("[data-refresh]").forEach((part) => {
      const now = fresh.getElementById(part.id);
      if (now && !busy(part) && part.dataset.seen !== now.innerHTML) {
        part.dataset.seen = now.innerHTML;
        part.innerHTML = now.innerHTML;
      }
    });
    const told = fresh.querySelector("[data-refresh-every]");
    if (!busy(age())) age().innerHTML = told.innerHTML;
    age().dataset.refreshEvery = told.dataset.refreshEvery;
    announce(fresh.querySelector(".source-now")?.textContent.trim());
    document.dispatchEvent(new Event("aizu:renewed"));
  };
  const look = async () => {
    if (!document.hidden) {
      try {
        const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
        if (answer.ok) renew(new DOMParser().parseFromString(await answer.text(), "text/html"));
      } catch {
        // The portal is away for a moment: what is shown says how old it is.
      }
    }
    setTimeout(look, 1000 * age().dataset.refreshEvery);
  };
  setTimeout(look, 1000 * age().dataset.refreshEvery);
})();
