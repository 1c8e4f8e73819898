// The graph of the page: its numbers, and the walks forward and backward.
// `rows` holds a function for each operation of the graph; the graph itself stands in #graph.

const $ = (id) => document.getElementById(id);
const graph = JSON.parse($("graph").textContent);
const nodes = graph.nodes;
const state = { at: 0, walk: [], chosen: 0, hovered: null, timer: 0, answered: new Set() };

for (const [place, node] of nodes.entries()) {
  node.place = place;
  node.data = Number(node.data);
  node.is_leaf = node.op === undefined;
  node.operands = (node.operands ?? []).map((x) => (Array.isArray(x) ? Number(x[0]) : nodes[x]));
  node.slopes = (node.slopes ?? []).map((slope) => (slope === null ? null : Number(slope)));
  node.recorded = { data: node.data, slopes: node.slopes };
  node.title = /[ +−*·×/÷^-]/.test(node.name) ? `(${node.name})` : node.name;
}

const number_of = (x) => (typeof x === "number" ? x : x.data);

// Compute every node anew from the leaves, operands first.
function walk_forward() {
  for (const node of nodes)
    if (!node.is_leaf) [node.data, node.slopes] = rows[node.op](...node.operands.map(number_of));
}

// The chain rule, readers first: a slope of 0 is not passed on.
function walk_back() {
  for (const node of nodes) Object.assign(node, { grad: 0, turn: Infinity, shares: [], sent: [] });
  state.walk = graph.walks[$("root").selectedIndex].map((number) => nodes[number]);
  root().grad = 1;
  state.walk.forEach((reader, turn) => {
    reader.turn = turn;
    reader.operands.forEach((operand, i) => {
      if (typeof operand === "number" || reader.grad === 0) return;
      const sent = { reader, operand, slope: reader.slopes[i], edge: edges[reader.edges[i]] };
      sent.share = sent.slope * reader.grad;
      operand.grad += sent.share;
      operand.shares.push(sent);
      reader.sent.push(sent);
    });
  });
}

const root = () => state.walk[0];
const last_step = () => nodes.length + state.walk.length;
const is_forward = () => state.at <= nodes.length;
const is_computed = (node) => node.place < state.at;
const has_sent = (node) => nodes.length + node.turn < state.at;
const step_node = () =>
  is_forward() ? nodes[state.at - 1] : state.walk[state.at - nodes.length - 1];

// The gradient that a node has at this step: the shares that have come by now.
function gradient_now(node) {
  if (node === root()) return 1;
  return node.shares.filter((sent) => has_sent(sent.reader)).reduce((s, { share }) => s + share, 0);
}
