// The paths that a gradient is the sum of, as `explain` finds them.

const descending = (a, b) => (a === b ? 0 : b > a ? 1 : -1);
const ranked = (ways) => ways.sort((a, b) => descending(a.weight, b.weight));
const weight_of = (slope) =>
  slope === 0 ? -Infinity : size(slope) ? Math.log(size(slope)) : Infinity;
const added = (weight, after) => (Number.isFinite(weight) ? weight + after : weight);

// The steps down from each node to `to`, the heaviest way first, and how many paths there are.
function ways_to(to) {
  const ways = new Map([[to, [{ weight: 0, operand: to, slope: 1 }]]]), counts = new Map([[to, 1]]);
  const used = new Set(state.walk);
  for (const node of nodes) {
    if (node === to || !used.has(node)) continue;
    const found = node.operands.flatMap((operand, i) => {
      if (!ways.has(operand)) return [];
      const slope = node.slopes[i], weight = added(weight_of(slope), ways.get(operand)[0].weight);
      return [{ weight, operand, slope, edge: edges[node.edges[i]] }];
    });
    if (!found.length) continue;
    ways.set(node, ranked(found));
    counts.set(node, found.reduce((total, { operand }) => total + counts.get(operand), 0));
  }
  return { ways, total: counts.get(root()) ?? 0 };
}

// The heaviest paths, as `explain` finds them: each new one leaves a known one at one step.
function heaviest_paths(ways, to, most) {
  const found = [], waiting = [{ weight: 0, steps: [], rank: 0 }];
  while (waiting.length && found.length < most) {
    const { steps: known, rank: first } = ranked(waiting).shift();
    const steps = [...known];
    let node = known.length ? known.at(-1).operand : root(), rank = first;
    let weight = known.reduce((total, { slope }) => added(total, weight_of(slope)), 0);
    while (node !== to) {
      const here = ways.get(node);
      if (rank + 1 < here.length) {
        const other = added(weight, here[rank + 1].weight);
        waiting.push({ weight: other, steps: [...steps], rank: rank + 1 });
      }
      steps.push(here[rank]);
      weight = added(weight, weight_of(here[rank].slope));
      [node, rank] = [here[rank].operand, 0];
    }
    found.push(steps);
  }
  return found;
}

// One path: its nodes, the local slopes between them, their product.
const path_row = (steps) => ({
  names: [root(), ...steps.map(({ operand }) => operand)].map(({ name }) => name),
  slopes: steps.map(({ slope }) => slope),
  product: steps.reduce((product, { slope }) => (product === 0 ? 0 : product * slope), 1),
});

const shortened = (items, gap) =>
  items.length <= 8 ? items : [...items.slice(0, 4), gap, ...items.slice(-3)];

function explained(to) {
  const { ways, total } = ways_to(to);
  if (!total)
    return said("no path", { root: root().name, leaf: to.name });
  const found = heaviest_paths(ways, to, 10).map(path_row);
  const rank = ({ product }) => (Number.isNaN(product) ? Infinity : Math.abs(product));
  found.sort((a, b) => descending(rank(a), rank(b)));
  const lines = found.map(({ names, slopes, product }) => [
    shortened(names, said("values between", { count: names.length - 7 })).join(" ← "),
    (shortened(slopes.map((x) => figure(x)), "…").join(" × ") || "1")
      + (slopes.length > 1 ? ` = ${figure(product)}` : ""),
  ]);
  const rest = total - found.length;
  const others = to.grad - found.reduce((sum, { product }) => sum + product, 0);
  if (rest) lines.push([said("other paths", { count: path_count(rest) }), figure(others)]);
  const wide = Math.max(...lines.map(([left]) => [...left].length));
  const pad = (left) => left + " ".repeat(wide - [...left].length);
  const head = said("paths", {
    root: root().name, leaf: to.name, slope: figure(to.grad), count: path_count(total),
    end: said(rest ? "heaviest shown" : "all shown"),
  });
  return [head, ...lines.map(([left, right]) => `    ${pad(left)}   ${right}`)].join("\n");
}

const path_count = (paths) =>
  paths < 1e9 ? counted(paths, "path") : said("about", { number: figure(paths, 3) });

function show_paths() {
  const to = state.hovered ?? nodes[state.chosen];
  $("paths").textContent = is_hidden(to) ? "Hidden until you find the gradient." : explained(to);
  const is_marked = state.hovered !== null || document.activeElement === $("chosen");
  const { ways, total } = is_marked ? ways_to(to) : { ways: new Map(), total: 0 };
  const marked = new Set(total ? [...ways.values()].flat().map(({ edge }) => edge) : []);
  for (const edge of edges) edge.group.classList.toggle("on_path", marked.has(edge));
  for (const node of nodes)
    node.drawn.group.classList.toggle("on_path", total > 0 && ways.has(node));
}
