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

// What is wrong with an answer: a sign, a share left out, a factor left out; "" if it is right.
function mistake_in(text, node) {
  const answer = typed(text);
  if (answer === undefined) return "Type a number, such as −1.5.";
  const digits = text.replace(/e.*/i, "").replace(/\D/g, "").replace(/^0+/, "").length;
  const is = (x) => agrees(answer, digits, x);
  const { grad, shares } = node;
  if (is(grad) || (Number.isNaN(grad) && Number.isNaN(answer))) return "";
  if (is(-grad)) return "The sign is wrong.";
  const product = ({ slope, reader }) => `${figure(slope)} × ${figure(reader.grad)}`;
  const from = (sent) => `The share from ${sent.reader.name}`;
  const missing = left_out(shares, (part) => part.length < shares.length
    && is(grad - part.reduce((sum, { share }) => sum + share, 0)));
  if (missing?.length === 1) return `${from(missing[0])} is missing: ${product(missing[0])}.`;
  const absent = missing?.map(({ reader }) => reader.name);
  if (missing) return `The shares from ${listed(absent)} are missing.`;
  for (const sent of shares) {
    const rest = grad - sent.share, { reader, slope, share } = sent;
    const says = (what) => `${from(sent)} ${what}: ${product(sent)}.`;
    if (is(rest - share)) return says("has the wrong sign");
    if (is(rest + reader.grad)) return says(`has the slope of ${reader.operation} left out`);
    if (is(rest + slope)) return says(`has the gradient of ${reader.name} left out`);
    if (is(grad + share)) return `${from(sent)} counts once, not twice.`;
  }
  if (Math.abs(answer - grad) <= 0.1 * Math.abs(grad)) return "Close, but not in two digits.";
  const readers = [...new Set(shares.map(({ reader }) => reader.name))];
  if (!readers.length) return "Not right: no share comes to it.";
  return `Not right. Shares come from ${listed(readers)}: each is local slope × gradient.`;
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

function check(event) {
  event.preventDefault();
  const node = asked_node(), mistake = mistake_in($("answer").value, node);
  if (!mistake) return reveal(node);
  $("verdict").textContent = mistake;
}

function reveal(node) {
  const is_right = !mistake_in($("answer").value, node);
  state.answered.add(node);
  show();
  show_paths();
  $("step").prepend(line(is_right ? "Right." : "This is how it is found:"));
  $("on").focus();
}
