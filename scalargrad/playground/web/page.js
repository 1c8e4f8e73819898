// The page: what plays, the fields, the points that the reader sets.
const training = new Training(JSON.parse($("content").textContent));
const view = view_of(training, $("view")), network = new Network(training, view, $("network"));
const player = { is_on: false, frames: 0, since: 0, drawn: 0, turn: 0 };

// ------------------------------------------------------------------ drawing

function draw() {
  const is_turn = !player.is_on || player.turn % 6 === 0;
  view.draw();
  if (is_turn || player.turn % 3 === 0) network.draw(is_turn);
  if (is_turn) {
    draw_losses();
    tell();
  }
  player.turn += 1;
}

let is_asked = false;

// draw before the next frame, once
function redraw() {
  if (is_asked || player.is_on) return;
  is_asked = true;
  requestAnimationFrame(() => {
    is_asked = false;
    draw();
  });
}

function tell() {
  const { losses, step } = training, loss = losses.length ? losses.at(-1) : training.loss();
  $("step").textContent = step.toLocaleString("en");
  $("loss").textContent = figure(loss);
  const share = view.share();
  $("right").textContent = share === null ? "" : `${(100 * share).toFixed(1)} % right`;
  $("rows").textContent = training.count === 1 ? "1 row" : `${training.count} rows`;
  if (view.shown) $("told").textContent = network.told(view.shown);
}

function draw_losses() {
  const canvas = $("losses"), context = context_of(canvas), { losses } = training;
  const width = canvas.clientWidth - 78, height = canvas.clientHeight - 26;
  context.fillStyle = colours.soft;
  context.strokeStyle = colours.line;
  context.strokeRect(70, 6, width, height);
  if (losses.length < 2) return;
  const every = Math.max(1, Math.floor(losses.length / 400)), shown = [];
  for (let i = 0; i < losses.length; i += every) shown.push([i, losses[i]]);
  shown.push([losses.length - 1, losses.at(-1)]);
  let low = Infinity, high = -Infinity;
  for (const [, loss] of shown) {
    low = Math.min(low, loss);
    high = Math.max(high, loss);
  }
  const is_log = low > 0 && high > 30 * low, of = is_log ? Math.log : (x) => x;
  const y = (loss) => 8 + ((of(high) - of(loss)) / (of(high) - of(low) || 1)) * (height - 4);
  context.beginPath();
  for (const [i, loss] of shown)
    context.lineTo(70 + (i / (losses.length - 1)) * width, y(loss));
  context.strokeStyle = colours.high;
  context.lineWidth = 2;
  context.stroke();
  context.textAlign = "right";
  context.textBaseline = "top";
  context.fillText(figure(high, 3), 64, 4);
  context.fillText(losses.length.toLocaleString("en"), 70 + width, height + 10);
  context.textBaseline = "bottom";
  context.fillText(figure(low, 3), 64, height + 8);
  context.textAlign = "left";
  context.textBaseline = "top";
  context.fillText(is_log ? "step (loss on a logarithmic scale)" : "step", 70, height + 10);
}

// ------------------------------------------------------------------ playing

function play(is_on) {
  if (player.is_on === is_on) return;
  player.is_on = is_on;
  $("play").textContent = is_on ? "Pause" : "Play";
  if (is_on) {
    say("");
    Object.assign(player, { frames: 0, since: performance.now() });
    requestAnimationFrame(frame);
  } else {
    draw();
    say(`Step ${training.step}, loss ${$("loss").textContent}. ${$("right").textContent}`);
  }
}

function frame(now) {
  if (!player.is_on) return;
  const wanted = Number($("speed").value), end = now + 200;
  for (let k = 0; k < wanted && player.is_on; k++) {
    make();
    if (performance.now() > end) break;
  }
  if (!player.is_on) return;
  draw();
  player.frames += 1;
  if (now - player.since > 1000) {
    const pace = Math.round((1000 * player.frames) / (now - player.since));
    $("pace").textContent = `${pace} frames a second`;
    Object.assign(player, { frames: 0, since: now });
  }
  requestAnimationFrame(frame);
}

// a step; where it fails, or the epochs are over, nothing plays any more
function make() {
  try {
    training.make();
  } catch (error) {
    play(false);
    say(error.message);
    return;
  }
  const { epochs } = training.content, size = training.is_whole ? training.count : training.size;
  if (epochs && training.step === epochs * Math.ceil(training.count / size)) play(false);
}

function say(text) {
  $("said").textContent = text;
}

function reset(seed) {
  training.reset(seed);
  $("seed").value = seed ?? "";
  player.turn = 0;
  say(seed === null ? "The weights are as given." : `The weights are those of seed ${seed}.`);
  if (player.is_on) draw();
  redraw();
}

// the number in a field, if it is one that can be used
function number_in(field, is_fine) {
  const number = Number(field.value.replace("−", "-").replace(",", "."));
  const is_right = field.value.trim() !== "" && is_fine(number);
  field.setAttribute("aria-invalid", String(!is_right));
  return is_right ? number : null;
}

// begin again with the seed in the field; without one the weights are as given
function reset_to_field() {
  const is_empty = $("seed").value.trim() === "";
  const seed = number_in($("seed"), Number.isSafeInteger);
  $("seed").setAttribute("aria-invalid", String(seed === null && !is_empty));
  if (seed !== null || is_empty) reset(seed);
  else say("The seed must be a whole number, such as 7.");
}

$("play").onclick = () => play(!player.is_on);
$("on").onclick = () => {
  play(false);
  make();
  redraw();
};
$("reset").onclick = $("seed").onchange = reset_to_field;
$("new").onclick = () => reset((training.seed ?? -1) + 1);
$("rate").oninput = () => {
  training.rate = number_in($("rate"), (x) => x >= 0 && Number.isFinite(x)) ?? training.rate;
};
$("batch").oninput = () => {
  const size = number_in($("batch"), (x) => Number.isInteger(x) && x > 0);
  if (size === null) return;
  training.size = size;
  training.is_whole = size >= training.count;
  training.begin();
};
$("shuffle").onchange = () => {
  training.shuffles = $("shuffle").checked;
  training.begin();
};
$("download").onclick = () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([training.file()], { type: "application/json" }));
  link.download = "weights.json";
  link.click();
  URL.revokeObjectURL(link.href);
};

// ------------------------------------------------------------------ points

function target_chosen() {
  const { content, targets } = training;
  const chosen = document.querySelector("[name=class]:checked")?.value;
  if (content.kind === "classes")
    return Array.from({ length: targets }, (_, k) => Number(k === Number(chosen)));
  if (content.kind === "two") return [content.values[Number(chosen) || 0]];
  const number = number_in($("number"), Number.isFinite) ?? 0;
  return Array.from({ length: targets }, () => number);
}

function is_removing() {
  return document.querySelector("[name=class]:checked")?.value === "remove";
}

function changed() {
  $("restore").disabled = false;
  if (training.is_whole) $("batch").value = training.count;
  redraw();
}

function add(point) {
  view.add(point, target_chosen());
  view.chosen = training.count - 1;
  changed();
}

function remove(row) {
  training.remove(row);
  view.chosen = null;
  changed();
}

function place_of(event) {
  const box = event.target.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

const canvas = $("view");
let is_dragging = false;
canvas.onpointerdown = (event) => {
  if (!view.can_edit || !view.frame) return;
  const [px, py] = place_of(event), row = view.near(px, py);
  if (is_removing()) {
    if (row !== null) remove(row);
    return;
  }
  if (row === null) add(view.frame.of(px, py));
  else view.chosen = row;
  is_dragging = true;
  canvas.setPointerCapture(event.pointerId);
  redraw();
};
canvas.onpointermove = (event) => {
  if (!is_dragging) return;
  const { x0, y0, width, height } = view.frame, [px, py] = place_of(event);
  const inside = [Math.min(Math.max(px, x0), x0 + width), Math.min(Math.max(py, y0), y0 + height)];
  view.move(view.chosen, view.frame.of(...inside));
  changed();
};
canvas.onpointerup = canvas.onpointercancel = () => {
  is_dragging = false;
};
const ARROWS = {
  ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
};
canvas.onkeydown = (event) => {
  if (!view.can_edit) return;
  const { chosen, frame } = view;
  if (event.key === "n" || event.key === "p") {
    const step = event.key === "n" ? 1 : -1, n = training.count;
    view.chosen = chosen === null ? 0 : (chosen + step + n) % n;
    const numbers = [...view.place(view.chosen)].map((x) => figure(x, 3));
    say(`Point ${view.chosen}: ${numbers.join(", ")}`);
  } else if (event.key === "Enter") {
    add(frame.of(frame.x0 + frame.width / 2, frame.y0 + frame.height / 2));
  } else if (event.key === "Delete" && chosen !== null) remove(chosen);
  else if (ARROWS[event.key] && chosen !== null) {
    const [px, py] = frame.at(...view.place(chosen)), [dx, dy] = ARROWS[event.key];
    view.move(chosen, frame.of(px + 6 * dx, py + 6 * dy));
    changed();
  } else return;
  event.preventDefault();
  event.stopPropagation();
  redraw();
};
$("restore").onclick = () => {
  training.restore();
  view.chosen = null;
  changed();
  $("restore").disabled = true;
};

// ------------------------------------------------------------------ neurons

const HINT = `Point at a neuron to see its own ${view instanceof Curve ? "curve" : "boundary"}.`;

function show(neuron) {
  if (view.shown === neuron) return;
  view.shown = neuron;
  $("told").textContent = neuron ? network.told(neuron) : HINT;
  redraw();
}

function of_list() {
  const { value } = $("shown");
  return value === "" ? null : network.neurons[Number(value)];
}

$("network").onpointermove = (event) => show(network.at(...place_of(event)) ?? of_list());
$("network").onpointerleave = () => show(of_list());
$("network").onclick = (event) => {
  $("shown").value = network.at(...place_of(event))?.number ?? "";
};
$("shown").onchange = () => show(of_list());

document.onkeydown = (event) => {
  const is_taken = event.target.closest("input, select, button, summary");
  if (is_taken || event.ctrlKey || event.metaKey) return;
  if (event.key === " ") play(!player.is_on);
  else if (event.key === "ArrowRight") $("on").click();
  else return;
  event.preventDefault();
};

// ------------------------------------------------------------------ the beginning

function begin() {
  const { content } = training;
  $("rate").value = training.rate;
  $("batch").value = training.size;
  $("shuffle").checked = training.shuffles;
  $("method").textContent = `${content.optimizer}, ${content.loss.replaceAll("_", " ")}`;
  $("code").textContent = $("made").textContent.trim();
  const titles = {
    Plane: "What it computes", Curve: "The fitted curve", Pairs: "Predictions against targets",
  };
  $("told").textContent = HINT;
  $("view_head").textContent = titles[view.constructor.name];
  for (const neuron of network.neurons)
    $("shown").add(new Option(network.name(neuron), neuron.number));
  $("neurons").hidden = !network.neurons.length || view instanceof Pairs;
  const choices = content.kind === "classes" ? Array.from({ length: training.targets }, (_, k) => k)
    : content.kind === "two" && view instanceof Plane ? content.values : [];
  const forms = ["●", "■", "▲", "◆"];
  const shown = choices.map((value, k) =>
    [k, `${forms[k % 4]} ${value}`, content.kind === "classes" ? `c${k % 8}` : k ? "high" : "low"]);
  if (!shown.length) shown.push([0, "point", "text"]);
  for (const [value, text, colour] of [...shown, ["remove", "remove", "text"]]) {
    const label = document.createElement("label"), button = document.createElement("input");
    Object.assign(button, { type: "radio", name: "class", value, checked: value === 0 });
    label.append(button, text);
    label.style.color = `var(--${colour})`;
    $("classes").append(label);
  }
  $("number_label").hidden = content.kind !== "numbers" || !(view instanceof Plane);
  $("number").value = content.kind === "numbers" ? figure(content.levels[2], 3) : 0;
  $("points").hidden = !view.can_edit;
  if (!view.can_edit) canvas.removeAttribute("tabindex");
  matchMedia("(prefers-color-scheme: dark)").onchange = () => {
    read_colours();
    redraw();
  };
  new ResizeObserver(redraw).observe(document.body);
  read_colours();
  draw();
}

begin();
