/* Proposes an address from a Japanese title; CKAN's own proposal knows only Latin letters. */
ckan.module("aizu-address", function () {
  const pauseMs = 250;
  return {
    initialize: function () {
      const field = this.el;
      let waiting;
      let asked = "";
      this.sandbox.subscribe("slug-target-changed", function (title) {
        clearTimeout(waiting);
        asked = title;
        if (/^[\x00-\x7f]*$/.test(title)) return;
        waiting = setTimeout(async function () {
          const address = ckan.url("/aizu/dataset-name") + "?title=" + encodeURIComponent(title);
          const answer = await fetch(address);
          // An answer that comes after the steward has typed on is out of date.
          if (answer.ok && asked === title) {
            field.val((await answer.json()).name).trigger("change");
          }
        }, pauseMs);
      });
      // An address that the steward writes is theirs.
      this.sandbox.subscribe("slug-preview-modified", function () {
        clearTimeout(waiting);
        asked = "";
      });
    },
  };
});
