/* Draws every [data-aizu-map] with Leaflet: points and lines on one canvas, with or without a base map. */
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
  const KIND = ["kind", "種別"];
  // What a program needs to draw a feature says nothing to a reader.
  const SILENT = ["_id", "route_color", "route_ids"];
  const COLOUR = /^#[0-9a-f]{6}$/i;
  const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
  const CASING = "#4a5268";
  const WHOLE_CITY = { maxZoom: 17, padding: [24, 24] };
  // So few places say nothing about where they are; the city is shown around them.
  const FEW = 10;
  // More points than these cover the lines under them.
  const MANY = 300;

  const CORNERS = {
    square: [[-1, -1], [1, -1], [1, 1], [-1, 1]],
    triangle: [[0, -1.2], [1.15, 0.9], [-1.15, 0.9]],
    diamond: [[0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]],
  };

  function trace(context, shape, x, y, size) {
    context.beginPath();
    if (shape === "line") {
      context.rect(x - size, y - size / 4, size * 2, size / 2);
    } else if (shape === "circle") {
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

  const isLine = (feature) => /LineString$/.test(feature.geometry?.type);

  function colourOf(feature, style) {
    const own = feature.properties?.route_color;
    return COLOUR.test(own) ? own : style.colour;
  }

  /** A line with a dark edge: routes may be white or yellow, and the map below is pale. */
  function edged(line) {
    line._updatePath = () => {
      const { color, weight } = line.options;
      Object.assign(line.options, { color: CASING, weight: weight + 1.2 });
      line._renderer._updatePoly(line);
      Object.assign(line.options, { color, weight });
      line._renderer._updatePoly(line);
    };
  }

  /** Small while the whole city is in view, so that marks cover neither one another nor lines. */
  function radiusAt(zoom, besideLines, count) {
    if (count < FEW) return 7;
    return besideLines && count > MANY ? Math.max(1.5, Math.min(7, zoom - 10)) : Math.max(3.5, Math.min(8, zoom - 8.5));
  }

  function element(tag, text, className) {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  /** How headings and values read to people: times in the city's zone, yes and no in words. */
  function speaker({ zone }, text) {
    // The Swedish way to write a date is ISO 8601.
    const clock = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" });
    const isMoment = (value) => MOMENT.test(value);
    return {
      heading: (label, value) => (isMoment(value) ? text.textZoned.replace("{column}", label) : label),
      value: (value) => {
        if (typeof value === "boolean") return value ? text.textYes : text.textNo;
        if (Array.isArray(value)) return [...new Set(value)].join("、");
        return isMoment(value) ? clock.format(new Date(value)) : String(value);
      },
    };
  }

  /** The properties as a table, what it is first; textContent only, since data is never markup. */
  function popup(properties, labels, told) {
    const table = element("table", undefined, "map-popup");
    const isKind = ([name]) => KIND.includes(name);
    const entries = Object.entries(properties).sort((a, b) => isKind(b) - isKind(a));
    entries.forEach(([name, value]) => {
      if (SILENT.includes(name) || value === null || value === "") return;
      const row = table.insertRow();
      row.append(element("th", told.heading(labels[name] || name, value)), element("td", told.value(value)));
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

  /** The features of a layer, each with what is shown of it when it is opened. */
  async function load({ source, title, labels }) {
    const answer = await fetch(source.url);
    if (!answer.ok) throw new Error(`${answer.status} ${source.url}`);
    const body = await answer.json();
    const { features } = source.latitude ? fromRecords(body.result.records, source) : body;
    return features.filter((f) => f.geometry).map((feature) => ({ feature, title, labels }));
  }

  /** Groups features by layer, or those of a single layer by kind; after the last style all share it. */
  function grouped(places, severalLayers, other) {
    const column = KIND.find((name) => places.some((p) => p.feature.properties?.[name]));
    const kindOf = severalLayers
      ? ({ title }) => title
      : ({ feature }) => (column && feature.properties?.[column]) || other;
    const members = new Map();
    places.forEach((place) => {
      const kind = kindOf(place);
      if (!members.has(kind)) members.set(kind, []);
      members.get(kind).push(place);
    });
    const ordered = [...members].sort(([, a], [, b]) => b.length - a.length);
    const groups = ordered.map(([kind, its], i) => ({
      kind, places: its, lines: its.every((p) => isLine(p.feature)),
      style: STYLES[Math.min(i, STYLES.length - 1)],
    }));
    // Lines first: what is drawn later lies on top.
    groups.sort((a, b) => b.lines - a.lines);
    return { groups, named: severalLayers || Boolean(column) };
  }

  function swatch({ shape, colour }) {
    const canvas = element("canvas");
    canvas.width = canvas.height = 36;
    const context = canvas.getContext("2d");
    trace(context, shape, 18, 18, 12);
    context.fillStyle = colour;
    context.fill();
    context.strokeStyle = CASING;
    if (shape === "line") context.stroke();
    canvas.setAttribute("aria-hidden", "true");
    return canvas;
  }

  function legend(box, groups, map) {
    const marksFirst = [...groups].sort((a, b) => a.lines - b.lines);
    marksFirst.forEach(({ kind, places, layer, lines, style }) => {
      const label = element("label");
      const tick = element("input");
      tick.type = "checkbox";
      tick.checked = true;
      tick.addEventListener("change", () => {
        if (!tick.checked) return layer.remove();
        layer.addTo(map);
        if (lines) layer.bringToBack();
      });
      const mark = lines ? { shape: "line", colour: colourOf(places[0].feature, style) } : style;
      label.append(tick, swatch(mark), `${kind} (${places.length.toLocaleString()})`);
      box.append(label);
    });
    box.hidden = false;
  }

  const cornersOf = ({ west, south, east, north }) => [[south, west], [north, east]];

  /** The city's base map; without network an outline of the area stands in for it and a note says so. */
  function baseMap(map, base, renderer, note, text) {
    const outline = L.rectangle(cornersOf(base.bbox), {
      renderer, color: CASING, weight: 1.2, dashArray: "6 6", fill: false, interactive: false,
    });
    if (!base.tiles) {
      outline.addTo(map);
      return;
    }
    const credit = element(base.link ? "a" : "span", base.attribution || "");
    if (base.link) credit.href = base.link;
    const tiles = L.tileLayer(base.tiles, { maxZoom: base.max_zoom || 18, attribution: credit.outerHTML });
    tiles.on("tileerror", () => {
      note.textContent = text;
      note.hidden = false;
      outline.addTo(map);
    });
    tiles.on("tileload", () => {
      note.hidden = true;
      outline.remove();
    });
    tiles.addTo(map);
  }

  /** Enter on the map opens the place nearest to its centre: the way in without a mouse. */
  function openWithEnter(map, groups) {
    map.getContainer().addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.target !== map.getContainer()) return;
      const centre = map.getCenter();
      let nearest = null;
      groups.forEach((group) => {
        if (!map.hasLayer(group.layer)) return;
        group.layer.eachLayer((layer) => {
          const latlng = layer.getLatLng ? layer.getLatLng() : layer.getBounds().getCenter();
          const distance = centre.distanceTo(latlng);
          if (!nearest || distance < nearest.distance) nearest = { layer, latlng, distance };
        });
      });
      // The popup belongs to the group; a click that reaches it knows which place it came from.
      if (nearest) nearest.layer.fire("click", { latlng: nearest.latlng }, true);
    });
  }

  function drawn({ places, style }, renderer, told) {
    const labels = new Map(places.map((place) => [place.feature, place.labels]));
    const group = L.geoJSON({ type: "FeatureCollection", features: [...labels.keys()] }, {
      renderer,
      style: (f) =>
        f.geometry.type.endsWith("Point") ? {} : { color: colourOf(f, style), fillOpacity: 0.2 },
      pointToLayer: (_, latlng) => shapedMarker(latlng, style, renderer),
      onEachFeature: (f, layer) => isLine(f) && edged(layer),
    });
    return group.bindPopup(({ feature }) => popup(feature.properties || {}, labels.get(feature), told), {
      autoPanPadding: [16, 16], maxWidth: Math.min(300, window.innerWidth - 100), maxHeight: 260,
    });
  }

  /** Marks and lines as thick as the scale of the map allows. */
  function resized(groups, zoom, count) {
    const radius = radiusAt(zoom, groups.some((group) => group.lines), count);
    const mark = { radius, weight: radius < 5 ? radius / 6 : 1.2 };
    const line = { weight: zoom < 12 ? 2.2 : 3.6 };
    groups.forEach(({ layer }) => layer.setStyle((f) => (f.geometry.type.endsWith("Point") ? mark : line)));
  }

  function counted(places, text) {
    const points = places.filter((p) => !isLine(p.feature)).length;
    const words = points || !places.length ? text.textCount : text.textLines;
    return words.replace("{number}", (points || places.length).toLocaleString());
  }

  async function draw(box) {
    const settings = JSON.parse(box.dataset.aizuMap);
    const text = box.dataset;
    const count = box.querySelector(".map-count");
    let places;
    try {
      places = (await Promise.all(settings.layers.map(load))).flat();
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
    const renderer = L.canvas({ padding: 0.3, tolerance: 6 });
    const { groups, named } = grouped(places, settings.layers.length > 1, text.textOther);
    const told = speaker(settings, text);
    groups.forEach((group) => { group.layer = drawn(group, renderer, told); });
    const all = L.featureGroup(groups.map((group) => group.layer));
    const bounds = all.getBounds();
    if (bounds.isValid() && places.length < FEW) bounds.extend(cornersOf(settings.base.bbox));
    const fit = () => map.fitBounds(bounds, WHOLE_CITY);
    if (bounds.isValid()) fit();
    else map.setView([...settings.base.centre].reverse(), settings.base.zoom);
    const resize = () => resized(groups, map.getZoom(), places.length);
    map.on("zoomend", resize);
    groups.forEach((group) => group.layer.addTo(map));
    resize();
    baseMap(map, settings.base, renderer, box.querySelector(".map-note"), text.textNoBasemap);
    if (named) legend(box.querySelector(".map-legend"), groups, map);
    openWithEnter(map, groups);
    const button = box.querySelector(".map-fit");
    button.hidden = false;
    button.addEventListener("click", fit);
    count.textContent = counted(places, text);
    box.dataset.ready = "true";
  }

  // All of them, seen or not: a print or a picture of the page has its maps, too.
  window.addEventListener("load", () => document.querySelectorAll("[data-aizu-map]").forEach(draw));
})();
