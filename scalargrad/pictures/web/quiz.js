// The quiz: it hides gradients, asks for them, and says what is wrong with an answer.

const is_quiz = () => $("quiz").checked;
const is_hidden = (node) => is_quiz() && node !== root() && !state.answered.has(node);

function asked_node() {
  const node = is_forward() ? null : step_node();
  return node && is_hidden(node) ? node : null;
}

// Whether an answer is a number in as many digits as were typed, but at least two.
function agrees(answer, digits, x) {
  if (answer === x || Math.abs(answer - x) <= 1e-9 * Math.abs(x)) return true;
  const unit = 10 ** (Math.floor(Math.log10(Math.abs(answer))) - Math.max(digits, 2) + 1);
  return Math.abs(answer - x) <= 0.501 * unit;
}

// The mistake in an answer, in the words of `check_gradient`; "" if it is right.
function mistake_in(text, node) {
  const answer = typed(text);
  if (answer === undefined) return "Type a number, such as −1.5.";
  const digits = text.replace(/e.*/i, "").replace(/\D/g, "").replace(/^0+/, "").length;
  const is = (x) => agrees(answer, digits, x);
  const { grad, shares } = node;
  if (is(grad) || (Number.isNaN(grad) && Number.isNaN(answer))) return "";
  const yours = figure(answer);
  if (is(-grad)) return `${said("sign", { yours })}.`;
  const product = ({ slope, reader }) => `${figure(slope)} × ${figure(reader.grad)}`;
  const changed = (change, parts) =>
    said("changed", { yours, times: "", change: said(change, parts) });
  const of_share = (change, sent, times) => {
    const part = said("share", { place: sent.reader.name });
    return `${changed(change, { part, times })}: ${product(sent)}.`;
  };
  const missing = left_out(shares, (part) => part.length < shares.length
    && is(grad - part.reduce((sum, { share }) => sum + share, 0)));
  if (missing?.length === 1) return of_share("without", missing[0]);
  const places = missing && listed(missing.map(({ reader }) => reader.name));
  if (missing) return `${changed("without", { part: said("shares", { places }) })}.`;
  for (const sent of shares) {
    const rest = grad - sent.share, { reader, slope, share } = sent;
    if (is(rest - share)) return of_share("subtracted", sent);
    if (is(grad + share)) return of_share("counted", sent, 2);
    const slope_is = `${product(sent)} is its share.`;
    if (is(rest + reader.grad)) return `${changed(...slope_left_out(sent))}: ${slope_is}`;
    if (is(rest + slope))
      return `${changed("gradient left out", { place: reader.name })}: ${slope_is}`;
  }
  const gap = Math.abs((answer - grad) / grad);
  if (gap <= 0.1) {
    const digits = counted(Math.floor(-Math.log10(gap)), "digit");
    return `${said("digits", { yours, digits })}.`;
  }
  const readers = [...new Set(shares.map(({ reader }) => reader.name))];
  const hint = readers.length
    ? `Shares come from ${listed(readers)}: each is local slope × gradient.`
    : "No share comes to it.";
  return `${said("unexplained", { yours })}. ${hint}`;
}

// The sentence for a local slope that is left out, and its parts.
function slope_left_out({ reader, operand }) {
  const count = reader.operands.filter((other) => typeof other !== "number").length;
  if (count > 1) return ["factor left out", { place: operand.title }];
  if (reader.operation === "product") return ["constant left out", { where: "" }];
  return ["slope left out", { place: reader.operation }];
}

// The smallest part of the shares that passes a test; of more than 12 shares one or two.
function left_out(shares, passes) {
  const most = shares.length > 12 ? 2 : shares.length;
  const parts = shares.map((share, i) => [i, [share]]);
  for (const [last, part] of parts) {
    if (passes(part)) return part;
    if (part.length < most)
      for (let i = last + 1; i < shares.length; i++) parts.push([i, [...part, shares[i]]]);
  }
  return null;
}

function show_question() {
  const node = asked_node();
  $("question").hidden = !node;
  if (node && $("asked").textContent !== `${node.title}.grad =`) {
    $("asked").textContent = `${node.title}.grad =`;
    $("answer").value = $("verdict").textContent = "";
    if (document.activeElement === $("on")) $("answer").focus();
  }
  if (!node) $("asked").textContent = "";
}

function check() {
  const node = asked_node(), mistake = mistake_in($("answer").value, node);
  if (!mistake) return reveal(node);
  $("verdict").textContent = mistake;
}

function reveal(node) {
  const text = $("answer").value, is_right = !mistake_in(text, node);
  state.answered.add(node);
  show();
  show_paths();
  $("step").prepend(line(
    is_right ? `${said("right", { yours: figure(typed(text)) })}.` : "This is how it is found:"));
  $("on").focus();
}
