/* Draws every [data-aizu-map] with Leaflet: on one canvas, with or without a base map. */
(() => {
  // Colours that stay apart for colour-blind eyes (Okabe and Ito), each with a shape of its own.
  const STYLES = [
    { colour: "#0072b2", shape: "circle" },
    { colour: "#c44500", shape: "square" },
    { colour: "#007a5a", shape: "triangle" },
    { colour: "#a5357c", shape: "diamond" },
    { colour: "#1b2233", shape: "circle" },
    { colour: "#7a5c00", shape: "square" },
  ];
  const KIND = ["種別", "kind"];
  const WHOLE_CITY = { maxZoom: 17, padding: [24, 24] };

  const CORNERS = {
    square: [[-1, -1], [1, -1], [1, 1], [-1, 1]],
    triangle: [[0, -1.2], [1.15, 0.9], [-1.15, 0.9]],
    diamond: [[0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]],
  };

  function trace(context, shape, x, y, size) {
    context.beginPath();
    if (shape === "circle") {
      context.arc(x, y, size, 0, Math.PI * 2);
    } else {
      CORNERS[shape].forEach(([dx, dy]) => context.lineTo(x + dx * size, y + dy * size));
      context.closePath();
    }
  }

  /** A canvas marker with a shape; Leaflet itself only draws circles. */
  function shapedMarker(latlng, style, renderer) {
    const Marker = L.CircleMarker.extend({
      _updatePath() {
        const canvas = this._renderer;
        if (!canvas._drawing || this._empty()) return;
        trace(canvas._ctx, style.shape, this._point.x, this._point.y, this._radius);
        canvas._fillStroke(canvas._ctx, this);
      },
    });
    return new Marker(latlng, {
      renderer, radius: 6, weight: 1.2, color: "#fff", fillColor: style.colour, fillOpacity: 1,
    });
  }

  /** Small while the whole city is in view, so that marks do not cover one another. */
  function radiusAt(zoom) {
    return Math.max(3.5, Math.min(8, zoom - 8.5));
  }

  function element(tag, text, className) {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  /** The properties as a table, what it is first; textContent only, since data is never markup. */
  function popup(properties, labels) {
    const table = element("table", undefined, "map-popup");
    const isKind = ([name]) => KIND.includes(name);
    const entries = Object.entries(properties).sort((a, b) => isKind(b) - isKind(a));
    entries.forEach(([name, value]) => {
      if (name === "_id" || value === null || value === "") return;
      const row = table.insertRow();
      row.append(element("th", labels[name] || name), element("td", String(value)));
      row.firstChild.scope = "row";
    });
    return table;
  }

  function fromRecords(records, { latitude, longitude }) {
    return {
      type: "FeatureCollection",
      features: records
        .filter((record) => record[latitude] && record[longitude])
        .map((record) => ({
          type: "Feature",
          properties: record,
          geometry: { type: "Point", coordinates: [+record[longitude], +record[latitude]] },
        })),
    };
  }

  async function load(source) {
    const answer = await fetch(source.url);
    if (!answer.ok) throw new Error(`${answer.status} ${source.url}`);
    const body = await answer.json();
    return source.latitude ? fromRecords(body.result.records, source) : body;
  }

  /** Kinds in order of how often they occur; those past the last style share it. */
  function kinds(features, other) {
    const column = KIND.find((name) => features.some((found) => found.properties?.[name]));
    const counts = new Map();
    features.forEach((feature) => {
      const kind = (column && feature.properties?.[column]) || other;
      counts.set(kind, (counts.get(kind) || 0) + 1);
    });
    const ordered = [...counts.entries()].sort((a, b) => b[1] - a[1]);
    const styles = new Map(
      ordered.map(([kind], i) => [kind, STYLES[Math.min(i, STYLES.length - 1)]])
    );
    return { column, ordered, of: (f) => (column && f.properties?.[column]) || other, styles };
  }

  function swatch({ shape, colour }) {
    const canvas = element("canvas");
    canvas.width = canvas.height = 36;
    const context = canvas.getContext("2d");
    trace(context, shape, 18, 18, 12);
    context.fillStyle = colour;
    context.fill();
    canvas.setAttribute("aria-hidden", "true");
    return canvas;
  }

  function legend(box, found, layers, map) {
    found.ordered.forEach(([kind, count]) => {
      const label = element("label");
      const tick = element("input");
      tick.type = "checkbox";
      tick.checked = true;
      tick.addEventListener("change", () => {
        if (tick.checked) layers.get(kind).addTo(map);
        else layers.get(kind).remove();
      });
      label.append(tick, swatch(found.styles.get(kind)), `${kind} (${count.toLocaleString()})`);
      box.append(label);
    });
    box.hidden = false;
  }

  /** The city's base map; without network the data stands alone and a note says so. */
  function baseMap(map, base, note, text) {
    if (!base.tiles) return;
    const credit = element(base.link ? "a" : "span", base.attribution || "");
    if (base.link) credit.href = base.link;
    const tiles = L.tileLayer(base.tiles, { maxZoom: base.max_zoom || 18, attribution: credit.outerHTML });
    tiles.on("tileerror", () => {
      note.textContent = text;
      note.hidden = false;
    });
    tiles.on("tileload", () => {
      note.hidden = true;
    });
    tiles.addTo(map);
  }

  /** Enter on the map opens the place nearest to its centre: the way in without a mouse. */
  function openWithEnter(map, layers) {
    map.getContainer().addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.target !== map.getContainer()) return;
      const centre = map.getCenter();
      let nearest = null;
      layers.forEach((group) => {
        if (!map.hasLayer(group)) return;
        group.eachLayer((layer) => {
          if (!layer.getLatLng) return;
          const distance = centre.distanceTo(layer.getLatLng());
          if (!nearest || distance < nearest.distance) nearest = { layer, distance };
        });
      });
      // The popup belongs to the group; a click that reaches it knows which place it came from.
      if (nearest) nearest.layer.fire("click", { latlng: nearest.layer.getLatLng() }, true);
    });
  }

  function drawn(data, found, labels, renderer) {
    const layers = new Map();
    found.ordered.forEach(([kind]) => {
      const style = found.styles.get(kind);
      const features = data.features.filter((f) => f.geometry && found.of(f) === kind);
      const group = L.geoJSON({ type: "FeatureCollection", features }, {
        renderer,
        style: (f) =>
          f.geometry.type.endsWith("Point") ? {} : { color: style.colour, weight: 3, fillOpacity: 0.2 },
        pointToLayer: (_, latlng) => shapedMarker(latlng, style, renderer),
      });
      group.bindPopup((layer) => popup(layer.feature.properties || {}, labels), {
        autoPanPadding: [16, 16], maxWidth: Math.min(300, window.innerWidth - 100), maxHeight: 260,
      });
      layers.set(kind, group);
    });
    return layers;
  }

  async function draw(box) {
    const settings = JSON.parse(box.dataset.aizuMap);
    const text = box.dataset;
    const count = box.querySelector(".map-count");
    let data;
    try {
      data = await load(settings.source);
    } catch {
      count.textContent = text.textFailed;
      return;
    }
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    const touch = window.matchMedia("(hover: none) and (pointer: coarse)").matches;
    const map = L.map(box.querySelector(".map-canvas"), {
      zoomControl: false, preferCanvas: true, scrollWheelZoom: false,
      zoomAnimation: !still, fadeAnimation: !still, inertia: !still,
      // One finger scrolls the page, which a map as wide as the screen would else hold fast; two move the map.
      dragging: !touch,
    });
    // The wheel scrolls the page until the reader has turned to the map.
    map.on("focus", () => map.scrollWheelZoom.enable());
    map.on("blur", () => map.scrollWheelZoom.disable());
    L.control.zoom({ position: "bottomleft", zoomInTitle: text.textZoomIn, zoomOutTitle: text.textZoomOut }).addTo(map);
    map.attributionControl.setPrefix(false);
    map.getPane("popupPane").setAttribute("aria-live", "polite");
    const found = kinds(data.features, text.textOther);
    const layers = drawn(data, found, settings.labels, L.canvas({ padding: 0.3, tolerance: 6 }));
    const all = L.featureGroup([...layers.values()]);
    const fit = () => map.fitBounds(all.getBounds(), WHOLE_CITY);
    if (all.getBounds().isValid()) fit();
    else map.setView([...settings.base.centre].reverse(), settings.base.zoom);
    const resize = () => {
      const radius = radiusAt(map.getZoom());
      layers.forEach((group) => group.setStyle({ radius, weight: radius < 5 ? 0.6 : 1.2 }));
    };
    map.on("zoomend", resize);
    layers.forEach((group) => group.addTo(map));
    resize();
    baseMap(map, settings.base, box.querySelector(".map-note"), text.textNoBasemap);
    if (found.column) legend(box.querySelector(".map-legend"), found, layers, map);
    openWithEnter(map, layers);
    const button = box.querySelector(".map-fit");
    button.hidden = false;
    button.addEventListener("click", fit);
    count.textContent = text.textCount.replace("{number}", data.features.length.toLocaleString());
    box.dataset.ready = "true";
  }

  function drawWhenSeen(box) {
    const watcher = new IntersectionObserver((seen) => {
      if (!seen.some((entry) => entry.isIntersecting)) return;
      watcher.disconnect();
      draw(box);
    }, { rootMargin: "300px" });
    watcher.observe(box);
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-aizu-map]").forEach(drawWhenSeen);
  });
})();
