/* Gives the box that CKAN's autocomplete draws in the place of a field the name of that field. */
ckan.module("aizu-box-name", function () {
  return {
    initialize: function () {
      const label = document.querySelector(`label[for="${this.el.attr("id")}"]`);
      this.el.parent().find(".select2-selection").attr("aria-label", label.textContent.trim());
    },
  };
});
