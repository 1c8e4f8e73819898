// The text of each step: forward a node's formula, backward its gradient and the shares it sends.

function forward_lines(node) {
  if (node.is_leaf) {
    const article = /^[aeiou]/.test(node.kind) ? "an" : "a";
    return [[node.name, " = ", node.data, `, ${article} ${node.kind}`]];
  }
  const parts = [node.name];
  if (node.formula !== node.name) parts.push(" = ", node.formula);
  if (node.figures.length) parts.push(" = ");
  for (const piece of node.figures) {
    const place = piece < 0 ? -1 - piece : piece;
    const x = typeof piece === "number" ? number_of(node.operands[place]) : piece;
    parts.push(...(piece < 0 ? in_brackets(x) : [x]));
  }
  return [[...parts, " = ", node.data]];
}

function backward_lines(node) {
  const lines = [total_line(node)];
  for (const sent of node.sent) {
    const grad = is_hidden(node) ? "?" : node.grad;
    const share = is_hidden(sent.operand) ? "?" : sent.share;
    lines.push([`${sent.operand.title}.grad += `, sent.slope, " × ", grad, " = ", share]);
  }
  if (node.operands.length && node.grad === 0 && !is_hidden(node))
    lines.push(["A gradient of 0 passes nothing on."]);
  return lines;
}

function total_line(node) {
  const head = `${node.title}.grad = `;
  if (node === root()) return [head, 1, ": backward starts here"];
  if (is_hidden(node)) return [head, "?"];
  const [first, ...others] = node.shares;
  if (!first) return [head, 0, ": no share comes to it"];
  const slope = node.is_leaf ? `, the slope of ${root().name} by ${node.name}` : "";
  if (!others.length) return [head, node.grad, slope || `, from ${first.reader.name}`];
  const sum = [first.share, ...others.flatMap(({ share }) => [" + ", ...in_brackets(share)])];
  const from = `, from ${counted(node.shares.length, "reader")}`;
  return [head, ...sum, " = ", node.grad, slope || from];
}

function show_step() {
  const node = step_node(), head = document.createElement("h2");
  const phase = state.at === 0 ? "Start" : is_forward() ? "Forward" : "Backward";
  head.textContent = node ? `${phase}: ${node.is_leaf ? node.kind : node.symbol}` : phase;
  const lines = !node
    ? [["Forward, each node computes its number. Backward, it sends shares of its gradient to its ",
        "operands: local slope × gradient. Press → or Play."]]
    : is_forward() ? forward_lines(node) : backward_lines(node);
  $("step").replaceChildren(head, ...lines.map((parts) => line(...parts)));
  $("slider").max = last_step();
  $("slider").value = state.at;
  $("place").textContent = `${state.at} of ${last_step()}`;
  $("slider").setAttribute("aria-valuetext", `${state.at} of ${last_step()}, ${head.textContent}`);
}
