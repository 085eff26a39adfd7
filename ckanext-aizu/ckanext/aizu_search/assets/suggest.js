/* Suggestions under every field that searches datasets: an editable combobox with a list (WAI-ARIA). */
(() => {
  const PAUSE_MS = 150;
  const MOST_REMEMBERED = 100;
  const PREVIOUS = -1;
  const NEXT = 1;
  const remembered = new Map();
  let fields = 0;

  function element(tag, attributes, ...children) {
    const made = document.createElement(tag);
    Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
    made.append(...children);
    return made;
  }

  /** A text of the page with its number, in singular or plural. */
  function counted(texts, name, number) {
    const text = texts[number === 1 ? `${name}One` : `${name}Many`];
    return text.replace("{number}", number.toLocaleString(document.documentElement.lang));
  }

  /**
   * What stands in the field. What is being composed ends in letters that no kana have come of yet,
   * and a single kana is the beginning of half of all words.
   */
  function typed(field, composing) {
    const text = field.value.normalize("NFKC").trim();
    return composing ? text.replace(/[a-z]+$/i, "").replace(/^[ぁ-ゖ]$/, "") : text;
  }

  async function ask(url, text, signal) {
    if (remembered.has(text)) return remembered.get(text);
    const answer = await fetch(`${url}?q=${encodeURIComponent(text)}`, { signal });
    if (!answer.ok) return [];
    const { result } = await answer.json();
    if (remembered.size >= MOST_REMEMBERED) remembered.clear();
    remembered.set(text, result);
    return result;
  }

  /** The text with what was typed of it marked; what was found otherwise has no mark. */
  function marked(text, part) {
    const at = text.toLowerCase().indexOf(part.toLowerCase());
    if (at < 0) return [text];
    const end = at + part.length;
    return [text.slice(0, at), element("mark", {}, text.slice(at, end)), text.slice(end)];
  }

  /** A tag says how many datasets it leads to; that the others are datasets need only be heard. */
  function option(suggestion, id, text, texts) {
    const isTag = suggestion.kind === "tag";
    const about = isTag
      ? element("span", { class: "suggestion-about" },
          ` ${texts.tag} · ${counted(texts, "datasets", suggestion.count)}`)
      : element("span", { class: "visually-hidden" }, ` ${texts.dataset}`);
    return element(
      "li",
      { role: "option", id, "aria-selected": "false", class: `is-${suggestion.kind}` },
      element("span", { class: "suggestion-text" }, ...marked(suggestion.text, text)),
      about,
    );
  }

  class Combobox {
    constructor(field, texts) {
      this.field = field;
      this.texts = texts;
      this.suggestions = [];
      this.active = -1;
      this.id = `search-suggestions-${(fields += 1)}`;
      this.list = element("ul", {
        role: "listbox", id: this.id, class: "search-suggestions", "aria-label": texts.label,
      });
      this.list.hidden = true;
      this.news = element("div", { role: "status", class: "visually-hidden" });
      document.body.append(this.list, this.news);
      Object.entries({
        role: "combobox", autocomplete: "off", "aria-autocomplete": "list",
        "aria-expanded": "false", "aria-controls": this.id,
      }).forEach(([name, value]) => field.setAttribute(name, value));
      this.listen();
    }

    listen() {
      this.field.addEventListener("input", (event) => this.later(event.isComposing));
      this.field.addEventListener("compositionend", () => this.later(false));
      this.field.addEventListener("keydown", (event) => this.key(event));
      this.field.addEventListener("blur", () => this.close());
      // The field keeps the focus, and with it the keyboard of a phone and what is being composed.
      this.list.addEventListener("mousedown", (event) => event.preventDefault());
      this.list.addEventListener("click", (event) => this.choose(this.indexOf(event.target)));
      this.list.addEventListener("mousemove", (event) => this.mark(this.indexOf(event.target)));
      window.addEventListener("resize", () => this.place());
    }

    indexOf(target) {
      return [...this.list.children].indexOf(target.closest("[role=option]"));
    }

    later(composing) {
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.update(typed(this.field, composing)), PAUSE_MS);
    }

    async update(text) {
      // The answer to this very text is on its way: a letter that is no kana yet has changed nothing.
      if (text && text === this.asking) return;
      this.request?.abort();
      this.asking = text;
      if (!text) {
        this.close();
        return;
      }
      this.request = new AbortController();
      try {
        this.show(await ask(this.texts.url, text, this.request.signal), text);
      } catch (error) {
        // Aborted, or no network: the field searches as it does without suggestions.
        if (error.name !== "AbortError") this.close();
      } finally {
        if (this.asking === text) this.asking = "";
      }
    }

    show(suggestions, text) {
      if (document.activeElement !== this.field) return;
      this.suggestions = suggestions;
      this.mark(-1);
      this.list.replaceChildren(
        ...suggestions.map((one, at) => option(one, `${this.id}-${at}`, text, this.texts)),
      );
      this.news.textContent = counted(this.texts, "suggestions", suggestions.length);
      if (suggestions.length) this.open();
      else this.close();
    }

    open() {
      this.list.hidden = false;
      this.field.setAttribute("aria-expanded", "true");
      this.place();
    }

    close() {
      clearTimeout(this.waiting);
      this.request?.abort();
      this.list.hidden = true;
      this.field.setAttribute("aria-expanded", "false");
      this.mark(-1);
    }

    /** Under the box that holds field and button, over whatever comes there. */
    place() {
      if (this.list.hidden) return;
      const box = this.field.parentElement.getBoundingClientRect();
      this.list.style.top = `${box.bottom + window.scrollY}px`;
      this.list.style.left = `${box.left + window.scrollX}px`;
      this.list.style.width = `${box.width}px`;
    }

    mark(index) {
      this.list.children[this.active]?.setAttribute("aria-selected", "false");
      this.active = index;
      const option = this.list.children[index];
      if (!option) {
        this.field.removeAttribute("aria-activedescendant");
        return;
      }
      option.setAttribute("aria-selected", "true");
      option.scrollIntoView({ block: "nearest" });
      this.field.setAttribute("aria-activedescendant", option.id);
    }

    /** One option on or back; beyond either end stands the field itself. */
    move(step) {
      const stops = this.suggestions.length + 1;
      this.mark(((this.active + 1 + step + stops) % stops) - 1);
    }

    choose(index) {
      const suggestion = this.suggestions[index];
      if (suggestion) window.location.assign(suggestion.url);
    }

    key(event) {
      // Keys of an input method, the Enter that confirms a conversion above all (229 in Safari).
      if (event.isComposing || event.keyCode === 229) return;
      const isOpen = !this.list.hidden;
      const act = isOpen ? this.openKeys(event) : this.closedKeys(event);
      if (!act) return;
      event.preventDefault();
      act();
    }

    openKeys(event) {
      if (event.altKey && event.key === "ArrowUp") return () => this.close();
      if (event.key === "ArrowDown") return () => this.move(NEXT);
      if (event.key === "ArrowUp") return () => this.move(PREVIOUS);
      if (event.key === "Escape") return () => this.close();
      if (event.key === "Enter" && this.active >= 0) return () => this.choose(this.active);
      // These move the caret, and the reader is back in the field.
      if (["Home", "End", "ArrowLeft", "ArrowRight"].includes(event.key)) this.mark(-1);
      return undefined;
    }

    closedKeys(event) {
      if (event.key !== "ArrowDown" || !typed(this.field, false)) return undefined;
      return async () => {
        await this.update(typed(this.field, false));
        if (!event.altKey && !this.list.hidden) this.mark(0);
      };
    }
  }

  /** CKAN replaces parts of a page without loading it anew, fields among them. */
  function attach() {
    const texts = document.getElementById("search-suggestion-texts")?.dataset;
    if (!texts) return;
    document.querySelectorAll(".search-suggestions").forEach((list) => {
      if (!document.querySelector(`[aria-controls="${list.id}"]`)) list.remove();
    });
    const forms = `#dataset-search-form, form[action="${CSS.escape(texts.search)}"]`;
    document.querySelectorAll(`:is(${forms}) input[name="q"]`).forEach((field) => {
      if (field.getAttribute("role") !== "combobox") new Combobox(field, texts);
    });
  }
  attach();
  document.addEventListener("htmx:afterSettle", attach);
})();
