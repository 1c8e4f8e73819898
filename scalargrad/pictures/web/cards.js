// The cards and edges of the picture, as they are at this step.

const svg = document.querySelector("#picture svg");
const paths_drawn = [...svg.querySelectorAll(".edge path")];
const pills = [...svg.querySelectorAll(".edge .pill")].map((pill) => pill.parentNode);
const edges = paths_drawn.map((path, i) => ({
  path, group: path.parentNode, pill: graph.pills[i] ? pills.shift() : null,
  width: path.getAttribute("stroke-width"),
}));
for (const node of nodes) {
  const group = document.getElementById(node.card), track = group.querySelector(".track");
  const grad = group.querySelector("text.num:not(.val)");
  const bar = track.parentNode.appendChild(track.cloneNode());
  bar.setAttribute("class", "bar");
  node.drawn = {
    group, track, bar, grad, label: grad.previousElementSibling, data: group.querySelector(".val"),
    name: group.querySelector("text"), tip: group.querySelector("title"),
  };
}

const size = (x) => (Number.isFinite(x) ? Math.abs(x) : 0);
const largest = (xs) => Math.max(...xs.map(size), 0);

function show_card(node, most) {
  const { group, name, data, label, grad, tip } = node.drawn;
  const is_reached = node.shares.some((sent) => has_sent(sent.reader)) || has_sent(node);
  const now = is_reached || (node === root() && !is_forward()) ? gradient_now(node) : null;
  const shown = now === null || is_hidden(node) ? null : now;
  group.classList.toggle("waiting", !is_computed(node));
  group.classList.toggle("now", node === step_node());
  put(grad, now === null ? "–" : is_hidden(node) ? "?" : figure(now, 4), label);
  const sign = shown > 0 ? "pos" : shown < 0 ? "neg" : "none";
  grad.setAttribute("class", `num ${sign === "none" ? "sub" : sign}`);
  show_bar(node.drawn, sign, shown, most);
  put(data, figure(node.data, 4), name);
  tip.textContent = [
    `${node.name} · ${node.kind}`,
    is_computed(node) ? `data   ${node.data}` : "",
    shown === null ? "" : `grad   ${shown}`,
  ].filter(Boolean).join("\n");
}

// A text at the right; its letters move closer where it would lie on what stands at the left.
function put(text, shown, left) {
  if (text.textContent === shown) return;
  text.textContent = shown;
  text.removeAttribute("textLength");
  const between = Number(text.getAttribute("x")) - Number(left.getAttribute("x"));
  const room = between - left.getComputedTextLength() - 6;
  if (text.getComputedTextLength() <= room) return;
  text.setAttribute("textLength", room);
  text.setAttribute("lengthAdjust", "spacingAndGlyphs");
}

// The bar begins in the middle; its side and its colour show the sign.
function show_bar({ track, bar }, sign, grad, most) {
  const [left, wide] = ["x", "width"].map((name) => Number(track.getAttribute(name)));
  const share = Number.isFinite(grad) ? size(grad) / most : 1;
  const long = sign === "none" ? 0 : Math.max((wide / 2) * share, 1.5);
  bar.setAttribute("x", left + wide / 2 - (sign === "neg" ? long : 0));
  bar.setAttribute("width", long);
  track.parentNode.setAttribute("class", sign);
}

function show_edges() {
  const most = largest(state.walk.flatMap((node) => node.sent.map(({ share }) => share)));
  const now = step_node();
  for (const reader of nodes)
    reader.edges?.forEach((number, i) => {
      if (number === null) return;
      const { path, group, pill, width } = edges[number];
      const sent = reader.sent.find(({ edge }) => edge === edges[number]);
      const has_flowed = sent && has_sent(reader) && !is_hidden(reader.operands[i]);
      const thick = has_flowed && most ? 1.3 + 2.9 * (size(sent.share) / most) : width;
      path.setAttribute("stroke-width", thick);
      for (const part of [group, pill]) {
        part?.classList.toggle("waiting", !is_computed(reader));
        part?.classList.toggle("now", reader === now);
      }
      group.classList.toggle("back", reader === now && !is_forward());
      if (pill) show_pill(pill, reader.slopes[i]);
    });
}

// The local slope on an edge; its box becomes as wide as the text.
function show_pill(pill, slope) {
  const text = pill.querySelector("text"), rect = pill.querySelector("rect");
  const shown = text.textContent.replace(/×.*/, `×${figure(slope, 3)}`);
  if (text.textContent === shown) return;
  text.textContent = shown;
  const wide = text.getComputedTextLength() + 10;
  rect.setAttribute("x", Number(text.getAttribute("x")) - wide / 2);
  rect.setAttribute("width", wide);
}

function show() {
  const most = largest(nodes.map((node) => node.grad));
  for (const node of nodes) show_card(node, most);
  show_edges();
  show_step();
  show_question();
}

function scroll_to(node) {
  const card = node?.drawn.group.getBoundingClientRect(), frame = $("picture");
  const box = frame.getBoundingClientRect();
  if (!card) return;
  const far = (start, long) => card[start] + card[long] / 2 - box[start] - box[long] / 2;
  frame.scrollBy(far("left", "width"), far("top", "height"));
}
