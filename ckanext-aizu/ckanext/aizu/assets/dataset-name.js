/* Proposes an address for a dataset from its Japanese title; CKAN's own proposal knows only Latin letters. */
ckan.module("aizu-dataset-name", function () {
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
          const address = field.data("address") + "?title=" + encodeURIComponent(title);
          const answer = await fetch(address);
          // An answer that comes after the steward has typed on is out of date.
          if (answer.ok && asked === title) {
            field.val((await answer.json()).name).trigger("change");
          }
        }, pauseMs);
      });
    },
  };
});
