// The page: leaves to edit, buttons, slider and keys.

// The leaves as a person reads a picture: those first that are most operations from the output.
function leaves_in_order() {
  for (const reader of [...nodes].reverse())
    for (const operand of reader.operands.filter((x) => typeof x !== "number"))
      operand.depth = Math.max(operand.depth ?? 0, (reader.depth ?? 0) + 1);
  const depth = (node) => node.depth ?? 0;
  return nodes.filter(({ is_leaf }) => is_leaf).sort((a, b) => depth(b) - depth(a));
}

function show_leaves() {
  for (const node of leaves_in_order()) {
    const label = document.createElement("label"), field = document.createElement("input");
    field.inputMode = "decimal";
    field.autocomplete = "off";
    field.value = written(node.data);
    field.addEventListener("change", () => edit(node, field));
    label.append(node.name, " ", field);
    $("leaves").append(label);
    node.field = field;
  }
  if (graph.python) {
    for (const { field } of nodes) if (field) field.disabled = true;
    $("reset").hidden = true;
    $("leaves_note").textContent =
      `${graph.python} is made of Python functions: it is not computed here.`;
  }
}

// A number as a field shows it, and as `typed` reads it.
const written = (x) => String(x).replace("Infinity", "∞");

function edit(node, field) {
  const x = typed(field.value);
  field.setAttribute("aria-invalid", x === undefined);
  if (x === undefined) {
    $("leaves_note").textContent = `${node.name} must be a number, such as −1.5.`;
    return;
  }
  node.data = x;
  walk_forward();
  begin_anew();
  $("leaves_note").textContent =
    `${node.name} = ${figure(x)}: ${root().name} = ${figure(root().data)}`;
}

function reset() {
  for (const node of nodes) Object.assign(node, node.recorded);
  for (const node of nodes) if (node.field) node.field.value = written(node.data);
  $("leaves_note").textContent = `As recorded: ${root().name} = ${figure(root().data)}`;
  begin_anew();
}

function begin_anew() {
  state.answered.clear();
  walk_back();
  go(state.at);
  show_paths();
}

function go(at) {
  state.at = Math.max(0, Math.min(at, last_step()));
  show();
  scroll_to(step_node());
  if (state.at === last_step()) pause();
}

function pause() {
  clearInterval(state.timer);
  state.timer = 0;
  $("play").textContent = "Play";
}

function play() {
  if (state.timer) return pause();
  if (state.at === last_step()) go(0);
  $("play").textContent = "Pause";
  state.timer = setInterval(() => (asked_node() ? pause() : go(state.at + 1)), 1100);
}

const KEYS = {
  ArrowLeft: () => go(state.at - 1), ArrowRight: () => go(state.at + 1),
  Home: () => go(0), End: () => go(last_step()), " ": play,
};

document.addEventListener("keydown", (event) => {
  const is_typing = event.target.matches("input, select");
  if (is_typing || !KEYS[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === " " && event.target.matches("button")) return;
  event.preventDefault();
  KEYS[event.key]();
});

const on = (id, type, act) => $(id).addEventListener(type, act);
on("first", "click", () => go(0));
on("back", "click", () => go(state.at - 1));
on("play", "click", play);
on("on", "click", () => go(state.at + 1));
on("last", "click", () => go(last_step()));
on("slider", "input", () => go(Number($("slider").value)));
on("check", "click", check);  // no form: a notebook's frame may not submit one
on("answer", "keydown", (event) => { if (event.key === "Enter") check(); });
on("show", "click", () => reveal(asked_node()));
on("reset", "click", reset);
on("quiz", "change", begin_anew);
on("root", "change", begin_anew);
for (const type of ["change", "focus", "blur"])
  on("chosen", type, () => {
    state.chosen = Number($("chosen").value);
    show_paths();
  });
for (const [number, node] of nodes.entries()) {
  const { group } = node.drawn;
  group.addEventListener("pointerenter", () => { state.hovered = node; show_paths(); });
  group.addEventListener("pointerleave", () => { state.hovered = null; show_paths(); });
  group.addEventListener("click", (event) => {
    state.chosen = number;
    $("chosen").value = String(number);
    if (node.is_leaf && event.pointerType === "mouse") node.field.select();
    show_paths();
  });
}

const option = (number, node) => new Option(node.name, String(number));
$("chosen").append(...nodes.map((node, number) => option(number, node)));
$("root").append(...graph.walks.map(([number], i) => option(i, nodes[number])));
$("root").parentNode.hidden = graph.walks.length === 1;
show_leaves();
begin_anew();
