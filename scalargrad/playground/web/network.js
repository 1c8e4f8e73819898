// The network: a column for each layer, an edge for each weight, in each neuron what it computes.
const MOST_SHOWN = 18, SMALL = 14; // neurons of a column; cells on a side of a neuron's picture
const FAINT = 0.03, STRONG = 0.15; // parts of the largest weight: not drawn below, dashed from here

class Network {
  constructor(training, view, canvas) {
    Object.assign(this, { training, view, canvas });
    this.layers = training.content.layers;
    this.images = new Map(); // a small picture for each neuron
    this.hovered = null;
    let number = 0;
    this.neurons = this.layers.flatMap((layer, k) =>
      Array.from({ length: layer.nout }, (_, j) =>
        ({ layer: k, j, number: number++, level: layer.level })));
  }

  // the places of inputs and neurons, columns from left to right
  places() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const sizes = [this.layers[0].nin, ...this.layers.map((layer) => layer.nout)];
    const most = Math.min(MOST_SHOWN, Math.max(...sizes));
    const size = Math.max(8, Math.min(40, (height - 44) / most - 5));
    const columns = sizes.map((count, k) => {
      const shown = Math.min(count, MOST_SHOWN), gap = Math.min(72, (height - 44) / shown);
      const x = 30 + size / 2 + (k / (sizes.length - 1)) * (width - 60 - size);
      return Array.from({ length: shown }, (_, j) =>
        ({ x, y: 26 + (height - 44) / 2 + (j - (shown - 1) / 2) * gap, j }));
    });
    return { columns, size, sizes };
  }

  draw(with_images) {
    const context = context_of(this.canvas);
    if (!this.layers.length) return this.tiles(context);
    const { columns, size, sizes } = this.laid = this.places();
    this.edges(context, columns, size);
    if (with_images && size >= 12) this.renew();
    context.textAlign = "center";
    context.textBaseline = "middle";
    columns.forEach((column, k) => {
      context.fillStyle = colours.soft;
      const { activation } = this.layers[k - 1] ?? { activation: "inputs" };
      const more = sizes[k] > column.length ? ` (${column.length} of ${sizes[k]})` : "";
      const text = activation + more, half = context.measureText(text).width / 2 + 2;
      const { clientWidth: width } = this.canvas;
      context.fillText(text, Math.min(Math.max(column[0].x, half), width - half), 12);
      for (const { x, y, j } of column) this.node(context, k, j, x, y, size);
    });
    return null;
  }

  node(context, k, j, x, y, size) {
    const neuron = k ? this.neurons.find((n) => n.layer === k - 1 && n.j === j) : null;
    const image = neuron && this.images.get(neuron.number), half = size / 2;
    context.fillStyle = colours.field;
    context.fillRect(x - half, y - half, size, size);
    if (image) {
      context.imageSmoothingEnabled = true;
      context.drawImage(image, x - half, y - half, size, size);
    }
    if (neuron && this.lines) this.small_line(context, neuron, x - half, y - half, size);
    const is_shown = neuron && this.view.shown === neuron;
    context.lineWidth = is_shown ? 3.5 : 1.2;
    context.strokeStyle = is_shown ? colours.text : colours.soft;
    context.strokeRect(x - half, y - half, size, size);
    if (!k) {
      const name = `x${j + 1}`;
      context.fillStyle = colours.text;
      const wide = context.measureText(name).width, is_inside = wide < size - 2;
      context.fillText(name, is_inside ? x : x - half - 4 - wide / 2, y);
    }
  }

  edges(context, columns, size) {
    this.layers.forEach(({ W, nin }, k) => {
      const weights = this.training.weights[W];
      let most = 1e-12;
      for (const w of weights) most = Math.max(most, Math.abs(w));
      for (const to of columns[k + 1])
        for (const from of columns[k]) {
          const w = weights[to.j * nin + from.j], part = Math.abs(w) / most;
          if (part < FAINT) continue;
          const is_dim = this.view.shown && !this.touches(k, to.j);
          context.globalAlpha = (0.12 + 0.88 * part) * (is_dim ? 0.25 : 1);
          context.strokeStyle = w < 0 ? colours.low : colours.high;
          context.lineWidth = 0.4 + 4 * part;
          context.setLineDash(w < 0 && part > STRONG ? [5, 3] : []); // not by colour alone
          context.beginPath();
          context.moveTo(from.x + size / 2, from.y);
          context.lineTo(to.x - size / 2, to.y);
          context.stroke();
        }
    });
    context.globalAlpha = 1;
    context.setLineDash([]);
  }

  touches(layer, j) {
    return this.view.shown.layer === layer && this.view.shown.j === j;
  }

  // compute the small pictures anew
  renew() {
    if (this.view instanceof Plane) {
      this.training.neurons(this.view.cells(SMALL)).forEach((numbers, i) =>
        this.images.set(i, signs_image(numbers, SMALL, this.neurons[i].level, this.images.get(i))));
    } else if (this.view instanceof Curve) this.lines = this.training.neurons(this.view.cells(24));
  }

  small_line(context, neuron, x, y, size) {
    const numbers = this.lines[neuron.number], [low, high] = span(numbers, 0.15);
    context.beginPath();
    numbers.forEach((number, i) => context.lineTo(
      x + (i / (numbers.length - 1)) * size, y + ((high - number) / (high - low)) * size));
    context.lineWidth = 1.5;
    context.strokeStyle = colours.high;
    context.stroke();
  }

  // a model that is no row of layers: its blocks of weights, a square for each weight
  tiles(context) {
    const { names, weights, content } = this.training;
    const { clientWidth: width, clientHeight: height } = this.canvas, room = height / names.length;
    names.forEach((name, k) => {
      const { shape } = content.weights[name], block = weights[name];
      const across = shape.at(-1) ?? 1, down = block.length / across;
      const side = Math.min(24, (width - 90) / across, (room - 8) / down);
      let most = 1e-12;
      for (const w of block) most = Math.max(most, Math.abs(w));
      context.fillStyle = colours.text;
      context.textAlign = "left";
      context.textBaseline = "top";
      context.fillText(name, 4, k * room + 8, 74);
      block.forEach((w, i) => {
        context.fillStyle = `rgb(${shade(w / most, 1).map(Math.round).join()})`;
        context.fillRect(80 + (i % across) * side, k * room + 6 + Math.floor(i / across) * side,
          Math.max(1, side - 1), Math.max(1, side - 1));
      });
    });
    return null;
  }

  // the neuron at a place on the canvas
  at(px, py) {
    if (!this.laid) return null;
    const { columns, size } = this.laid;
    for (const [k, column] of columns.entries())
      for (const { x, y, j } of column)
        if (k && Math.abs(px - x) <= size / 2 + 3 && Math.abs(py - y) <= size / 2 + 2)
          return this.neurons.find((n) => n.layer === k - 1 && n.j === j);
    return null;
  }

  // a neuron in words: its weights and its bias
  told(neuron) {
    const { W, b, nin, activation } = this.layers[neuron.layer];
    const own = [...this.training.weights[W].subarray(neuron.j * nin, (neuron.j + 1) * nin)];
    const listed = own.slice(0, 8).map((w) => figure(w, 3)).join(", ") + (nin > 8 ? ", …" : "");
    const bias = b ? `; bias ${figure(this.training.weights[b][neuron.j], 3)}` : "";
    return `${this.name(neuron)}, ${activation}: weights ${listed}${bias}`;
  }

  name(neuron) {
    return `layer ${neuron.layer + 1}, neuron ${neuron.j}`;
  }
}
