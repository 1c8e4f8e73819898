// The steps of fit: loss and slopes of a batch, then the update of each weight.
class Training {
  constructor(content) {
    this.content = content;
    const wide = (rows) => (Array.isArray(rows[0]) ? rows[0].length : 1);
    this.inputs = wide(content.x);
    this.targets = wide(content.y);
    this.names = Object.keys(content.weights);
    this.rate = content.lr;
    this.size = content.batch;
    this.is_whole = content.is_whole; // the batch is all rows, however many there are
    this.shuffles = content.shuffle;
    this.restore();
    this.reset(null);
  }

  get count() {
    return this.x.length / this.inputs;
  }

  // the rows as they were given
  restore() {
    this.x = Float64Array.from(this.content.x.flat());
    this.y = Float64Array.from(this.content.y.flat());
    this.begin();
  }

  // the weights as they were given, or drawn anew as Python does with that seed
  reset(seed) {
    const { weights, state, steps, layers } = this.content;
    const copied = (blocks) =>
      Object.fromEntries(this.names.map((name) => [name, Float64Array.from(blocks[name].data)]));
    this.weights = copied(weights);
    this.memory = state.map(copied);
    this.seed = seed;
    this.step = 0;
    this.first = steps;
    this.losses = [];
    if (seed !== null) this.draw(new Random(seed), layers);
    this.random = new Random(seed ?? this.content.seed ?? 0);
    this.begin();
  }

  draw(random, layers) {
    const drawn = new Set();
    for (const { W, b, nin, nout, init } of layers) {
      if (init === null) continue;
      const [kind, size] = init;
      for (let i = 0; i < nin * nout; i++) this.weights[W][i] = random[kind](size);
      if (b) this.weights[b].fill(0);
      drawn.add(W).add(b);
    }
    for (const name of this.names) { // no init is known: normal, as large as it was
      if (drawn.has(name)) continue;
      const block = this.weights[name];
      const size = Math.sqrt(block.reduce((s, w) => s + w * w, 0) / block.length);
      for (let i = 0; i < block.length; i++) block[i] = size && random.gauss(size);
    }
  }

  // an epoch begins anew: the rows, or how many make a batch, are others
  begin() {
    this.order = Array.from({ length: this.count }, (_, i) => i);
    this.at = this.count;
  }

  // inputs and targets of the next batch
  batch() {
    const n = this.count, size = this.is_whole ? n : Math.min(this.size, n);
    if (this.at >= n) {
      this.at = 0;
      if (this.shuffles) this.random.shuffle(this.order);
    }
    const start = this.at, end = Math.min(start + size, n);
    this.at = end;
    const part = (rows, wide) => {
      if (!this.shuffles) return rows.subarray(start * wide, end * wide);
      const found = new Float64Array((end - start) * wide);
      for (let i = start; i < end; i++)
        for (let j = 0; j < wide; j++)
          found[(i - start) * wide + j] = rows[this.order[i] * wide + j];
      return found;
    };
    return [part(this.x, this.inputs), part(this.y, this.targets)];
  }

  // the weights as the compiled functions take them: a block without an axis is a number
  given() {
    const { weights } = this.content;
    return Object.fromEntries(
      this.names.map((name) =>
        [name, weights[name].shape.length ? this.weights[name] : this.weights[name][0]]));
  }

  // make a step; where a number would not be finite, change nothing and say so
  make() {
    const [x, y] = this.batch(), given = this.given();
    let [loss, slopes] = task.value_and_grad(given, x, y);
    const [extra, more] = penalty ? penalty.value_and_grad(given) : [0, null];
    loss += extra;
    const listed = (x) => (typeof x === "number" ? Float64Array.of(x) : x);
    let factor = 1;
    for (const name of this.names) {
      const slope = slopes[name] = listed(slopes[name]), other = more && listed(more[name]);
      if (more) for (let i = 0; i < slope.length; i++) slope[i] += other[i];
    }
    const { clip } = this.content;
    if (clip !== null) {
      const lengths = this.names.map((name) => slopes[name].reduce((s, x) => Math.hypot(s, x), 0));
      factor = clip / Math.max(clip, Math.hypot(...lengths));
    }
    const moved = {}, memory = this.memory.map(() => ({}));
    let sum = loss;
    for (const name of this.names) {
      const own = this.weights[name].slice(), slope = slopes[name].map((x) => x * factor);
      const parts = this.memory.map((blocks) => blocks[name].slice());
      optimizer.update(own.length, own, slope, ...parts, this.rate, this.first + this.step);
      moved[name] = own;
      parts.forEach((part, i) => { memory[i][name] = part; });
      for (let i = 0; i < own.length; i++) sum += own[i] + slope[i];
    }
    if (!Number.isFinite(sum))
      throw new RangeError(`Step ${this.step + 1} would bring a number that is not finite, ` +
        "so no weight was changed. Take a smaller rate, and reset.");
    this.weights = moved;
    this.memory = memory;
    this.losses.push(loss);
    this.step += 1;
  }

  // the loss of all rows as they are now
  loss() {
    const given = this.given();
    const extra = penalty ? penalty.value_and_grad(given)[0] : 0;
    return task.value(given, this.x, this.y) + extra;
  }

  // for each output the numbers for rows of inputs
  predict(x) {
    return as_list(predict.value(this.given(), x));
  }

  // for each neuron of each layer the numbers for rows of inputs
  neurons(x) {
    return as_list(neurons.value(this.given(), x));
  }

  add(x, y) {
    this.x = Float64Array.of(...this.x, ...x);
    this.y = Float64Array.of(...this.y, ...y);
    this.begin();
  }

  remove(row) {
    const without = (rows, wide) => rows.filter((_, i) => Math.floor(i / wide) !== row);
    if (this.count < 2) return;
    this.x = without(this.x, this.inputs);
    this.y = without(this.y, this.targets);
    this.begin();
  }

  // the file that model.load reads
  file() {
    const { about, weights } = this.content;
    const nested = (flat, shape) => {
      if (shape.length === 0) return flat[0];
      if (shape.length === 1) return Array.from(flat);
      const step = flat.length / shape[0];
      return Array.from({ length: shape[0] }, (_, i) =>
        nested(flat.subarray(i * step, (i + 1) * step), shape.slice(1)));
    };
    const found = this.names.map((name) => [name, nested(this.weights[name], weights[name].shape)]);
    return JSON.stringify({ ...about, weights: Object.fromEntries(found) }, null, 1);
  }
}

function as_list(found) {
  return Array.isArray(found) ? found : [found];
}
