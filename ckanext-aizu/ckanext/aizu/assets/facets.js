/* Filters are folded on a phone and open beside the list on a wide screen. */
(() => {
  const wide = window.matchMedia("(min-width: 768px)");
  const unfold = () => {
    document.querySelectorAll("details.facets").forEach((facets) => {
      facets.open = wide.matches;
    });
  };
  unfold();
  wide.addEventListener("change", unfold);
  document.addEventListener("htmx:afterSettle", unfold);
})();
