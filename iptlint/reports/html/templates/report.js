"use strict";
(() => {
  const one = (id) => document.getElementById(id);
  const made = (name, text, kind) => {
    const node = document.createElement(name);
    if (text !== undefined) node.textContent = text;
    if (kind) node.className = kind;
    return node;
  };

  // Lines of commands break between words, never behind the dash of an option.
  const command = (text) => {
    const node = made("code");
    text.split(/(\s+)/).forEach((word) => node.append(
      word.startsWith("-") && word.length <= 40 ? made("span", word, "option") : word));
    return node;
  };

  // -- findings: searched and filtered ---------------------------------------------------------
  const filters = one("filters");
  if (filters) {
    const findings = [...document.querySelectorAll(".finding")];
    const texts = findings.map((finding) => finding.textContent.toLowerCase());
    const filter = () => {
      const words = one("search").value.toLowerCase().split(/\s+/).filter(Boolean);
      const severities = new Set(
        [...filters.querySelectorAll("[name=severity]:checked")].map((box) => box.value));
      const group = one("group").value;
      let shown = 0;
      findings.forEach((finding, number) => {
        const fits = severities.has(finding.dataset.severity)
          && (!group || finding.dataset.group === group)
          && words.every((word) => texts[number].includes(word));
        finding.hidden = !fits;
        shown += fits;
      });
      one("shown").textContent = `${shown} of ${findings.length} shown`;
    };
    filters.addEventListener("input", filter);
    filters.addEventListener("submit", (event) => event.preventDefault());
    document.addEventListener("keydown", (event) => {
      const typing = event.target.closest("input, select, textarea");
      if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        one("search").focus();
      }
    });
    filter();
  }

  // -- a link opens what it leads to -----------------------------------------------------------
  const reveal = () => {
    const target = location.hash && one(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.hidden && filters) {
      filters.reset();
      filters.dispatchEvent(new Event("input"));
    }
    for (let node = target; node; node = node.parentElement) {
      if (node.tagName === "DETAILS") node.open = true;
    }
    target.scrollIntoView({ block: "center" });
  };
  addEventListener("hashchange", reveal);
  reveal();
  addEventListener("beforeprint", () => {
    document.querySelectorAll("#short details").forEach((details) => { details.open = true; });
  });

  // -- packets: asked ----------------------------------------------------------------------------
  const data = one("asked") && JSON.parse(one("asked").textContent);
  if (!data || !data.answers.length) return;
  const hosts = new Set(data.answers.map((answer) => answer.host)).size;
  const name = (answer) => `${answer.caller} → ${answer.to} (${answer.version}`
    + `${hosts > 1 ? `, host ${answer.host + 1}` : ""})`;
  const names = [...new Set(data.answers.map(name))];
  const caller = one("caller"), protocol = one("protocol"), port = one("port");
  names.forEach((each) => caller.append(made("option", each)));
  const protocols = () => {
    const before = protocol.value;
    const known = data.answers.filter((each) => name(each) === caller.value);
    protocol.replaceChildren(...known.map((each) => made("option", each.protocol)));
    if (known.some((each) => each.protocol === before)) protocol.value = before;
  };
  const ranges = (several) => several.slice(0, 8)
    .map(([low, high]) => (low === high ? `${low}` : `${low}-${high}`)).join(", ")
    + (several.length > 8 ? " …" : "");
  const link = (place, text) => {
    const shown = place.anchor && one(place.anchor);
    const node = made(shown ? "a" : "span", text || `${place.path}:${place.line}`, "place");
    if (shown) node.href = `#${place.anchor}`;
    return node;
  };
  const verb = { accept: "is let through", drop: "is dropped without a word",
    reject: "is turned away with an answer", queue: "is handed to a program, which decides" };
  // All packets to these ports end so: the one that is shown may as well go to the port asked for.
  const example = (ending, number) => (ending.sure && !ending.becomes
    ? ending.example.replace(/( -> \S+:)\d+(?= )/, `$1${number}`) : ending.example);
  const endingNode = (ending, alone, number) => {
    const node = made("div", undefined, `ending ${ending.passes ? "passes" : ""}`);
    const head = made("p");
    head.append(made("strong",
      `${alone ? "It" : "Some"} ${verb[ending.verdict] || `may do anything (${ending.verdict})`}`),
      ` ${ending.by} `);
    if (ending.place) head.append(link(ending.place));
    node.append(head);
    if (ending.place) {
      const line = made("p");
      line.append(command(ending.place.text));
      node.append(line);
    }
    const which = alone ? [] : ending.packets.filter((text) => text !== "any packet");
    which.forEach((text) => node.append(made("p", `which: ${text}`)));
    ending.conditions.forEach((text) => node.append(made("p", `if ${text}`)));
    if (ending.becomes) node.append(made("p", `It is translated, and becomes: ${ending.becomes}`));
    const way = made("details");
    way.open = alone;
    const steps = ending.steps.length;
    way.append(made("summary", `The way of one such packet (${steps} step${steps === 1 ? "" : "s"})`));
    way.append(made("p", example(ending, number), "quiet"));
    const list = made("ol");
    ending.steps.map((number) => data.steps[number]).forEach((step) => {
      const item = made("li");
      item.append(`${step.hook}, ${step.chain}, `, link(step, `line ${step.line}`), " ",
        command(step.policy ? "policy" : step.text), ` → ${step.does}`);
      list.append(item);
    });
    way.append(list);
    node.append(way);
    return node;
  };
  const draw = (endings) => {
    document.querySelectorAll(".graph .on").forEach((part) => part.classList.remove("on"));
    const parts = endings.flatMap((ending) => ending.way).map(one).filter(Boolean);
    parts.forEach((part) => part.classList.add("on"));
    if (one("on-the-way")) one("on-the-way").hidden = !parts.length;
    return parts.length > 0;
  };
  const ask = () => {
    draw([]);
    const number = Number(port.value);
    const found = data.answers.find(
      (each) => name(each) === caller.value && each.protocol === protocol.value);
    const node = one("answer");
    const withPorts = protocol.value !== "ping";
    port.parentElement.hidden = !withPorts;
    document.querySelectorAll("#chips button").forEach((chip) => chip.setAttribute("aria-pressed",
      String(chip.dataset.port === port.value && chip.dataset.protocol === protocol.value)));
    if (!found || (withPorts && !(port.value && number >= 0 && number <= 65535))) {
      node.replaceChildren(made("p", "A port is a number from 0 to 65535."));
      return;
    }
    const fitting = found.endings.filter((ending) => !withPorts
      || ending.ports.some(([low, high]) => low <= number && number <= high));
    const asked = withPorts ? `${found.protocol} to port ${number}` : "ping";
    if (!fitting.length) {
      node.replaceChildren(made("p", `${asked}: no packet is like that here.`));
      return;
    }
    const same = new Set(fitting.map((ending) => ending.passes)).size === 1;
    const sentence = !same ? "It depends: " : fitting[0].passes ? "Let through: " : "Not let through: ";
    node.replaceChildren(made("p", `${sentence}${asked}, ${name(found)}`, "answer"),
      ...fitting.map((ending) => endingNode(ending, fitting.length === 1, number)));
    if (draw(fitting)) {
      const seen = made("p");
      const picture = made("a", "See the way in the picture");
      picture.href = "#picture";
      seen.append(picture);
      node.append(seen);
    }
    const wide = fitting.length === 1 && withPorts && fitting[0].ports;
    if (wide && wide.some(([low, high]) => low !== high || low !== number)) {
      node.append(made("p", `The same for ports ${ranges(wide)}.`, "quiet"));
    }
  };
  data.ports.forEach((each) => {
    const chip = made("button", `${each.protocol} ${each.port}${each.name ? ` ${each.name}` : ""}`);
    chip.type = "button";
    chip.dataset.port = each.port;
    chip.dataset.protocol = each.protocol;
    chip.addEventListener("click", () => {
      protocol.value = each.protocol;
      port.value = each.port;
      ask();
    });
    one("chips").append(chip);
  });
  one("question").hidden = false;
  one("question").addEventListener("submit", (event) => event.preventDefault());
  caller.addEventListener("change", () => { protocols(); ask(); });
  protocol.addEventListener("change", ask);
  port.addEventListener("input", ask);
  protocols();
  ask();
})();
