/* How long ago something was, told by the reader's clock: a page may be older than its reader thinks. */
(() => {
  const words = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "always" });
  const units = [["day", 86400], ["hour", 3600], ["minute", 60]];
  const ago = (seconds) => {
    const [unit, size] = units.find(([, size]) => seconds >= size) || units[2];
    const told = words.format(-Math.max(1, Math.floor(seconds / size)), unit);
    return document.documentElement.lang.startsWith("ja") ? told.replaceAll(" ", "") : told;
  };
  const show = () => {
    document.querySelectorAll("time[data-ago]").forEach((time) => {
      const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
      // A clock that is wrong, or a time that a date says better.
      time.textContent = seconds > -60 && seconds < 60 * 86400 ? ago(seconds) : time.title;
    });
    document.querySelectorAll("[data-late-after]").forEach((line) => {
      const late = Date.now() > Date.parse(line.dataset.lateAfter);
      line.hidden = late;
      line.nextElementSibling.hidden = !late;
    });
  };
  show();
  setInterval(show, 20000);
  document.addEventListener("aizu:renewed", show);
})();
