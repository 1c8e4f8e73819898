// The outputs of the network, with the data: a plane, a curve, or predictions against targets.
const FINE = 60, COARSE = 40; // cells on a side, while nothing plays and while it does
const REACH = 11; // pixels from a point that still mean it

class View {
  constructor(training, canvas) {
    Object.assign(this, { training, canvas, chosen: null, shown: null });
    this.kind = training.content.kind;
  }

  get levels() {
    return this.training.content.levels;
  }

  // the class of a row, or its place between the lowest and the highest number, from -1 to 1
  class_of(row) {
    const { y, targets } = this.training, own = y.subarray(row * targets, (row + 1) * targets);
    if (this.kind === "classes") return own.indexOf(Math.max(...own));
    if (this.kind === "two") return Number(own[0] === this.training.content.values[1]);
    return this.sign(own[0]);
  }

  sign(number, [low, middle, high] = this.levels) {
    return (number - middle) / ((high - low) / 2 || 1);
  }

  colour_of(row) {
    const of = this.class_of(row);
    if (this.kind === "classes") return colours.classes[of % 8];
    if (this.kind === "two") return of ? colours.high : colours.low;
    return `rgb(${shade(of, 1).map(Math.round).join()})`;
  }

  form_of(row) {
    return this.kind === "numbers" ? 0 : this.class_of(row);
  }

  points(context, frame) {
    for (let row = 0; row < this.training.count; row++) {
      const is_chosen = row === this.chosen;
      const edge = is_chosen || this.kind === "numbers" ? colours.text : colours.back;
      mark(context, frame.at(...this.place(row)), this.form_of(row), this.colour_of(row),
        is_chosen ? 7 : this.size(), edge, is_chosen ? 3 : 1.2);
    }
  }

  size() {
    return this.training.count > 400 ? 3.2 : 4.8;
  }

  // the row whose point is near
  near(px, py) {
    let found = null, least = REACH;
    for (let row = 0; row < this.training.count; row++) {
      const [x, y] = this.frame.at(...this.place(row)), far = Math.hypot(x - px, y - py);
      if (far < least) [found, least] = [row, far];
    }
    return found;
  }

  // the share of rows whose class is right, or null
  share() {
    const { training } = this;
    if (this.kind === "numbers") return null;
    const outputs = training.predict(training.x);
    let right = 0;
    for (let row = 0; row < training.count; row++) {
      const own = outputs.map((output) => output[row]);
      const of = this.kind === "classes"
        ? own.indexOf(Math.max(...own)) : Number(own[0] > this.levels[1]);
      right += of === this.class_of(row);
    }
    return right / training.count;
  }
}

class Plane extends View {
  can_edit = true;

  // the range is that of the given data, so that it stays while points move
  range() {
    const { x } = this.training.content;
    return [0, 1].map((axis) => span(x.map((row) => row[axis])));
  }

  place(row) {
    return this.training.x.subarray(2 * row, 2 * row + 2);
  }

  move(row, [x, y]) {
    this.training.x.set([x, y], 2 * row);
  }

  add(point, target) {
    this.training.add(point, target);
  }

  // inputs in the middle of each cell
  cells(side) {
    this.kept ??= new Map();
    if (!this.kept.has(side)) this.kept.set(side, this.made_cells(side));
    return this.kept.get(side);
  }

  made_cells(side) {
    const [[left, right], [bottom, top]] = this.range(), cells = new Float64Array(2 * side * side);
    for (let i = 0; i < side; i++)
      for (let j = 0; j < side; j++) {
        cells[2 * (i * side + j)] = left + ((j + 0.5) / side) * (right - left);
        cells[2 * (i * side + j) + 1] = top - ((i + 0.5) / side) * (top - bottom);
      }
    return cells;
  }

  draw() {
    const { training } = this, context = context_of(this.canvas);
    const names = ["x1", "x2"].map((name, i) => training.content.names[i] ?? name);
    const frame = this.frame = new Frame(this.canvas, ...this.range(), names);
    const side = player.is_on ? COARSE : FINE, cells = this.cells(side);
    let image, lines = [];
    if (this.shown) {
      const numbers = training.neurons(cells)[this.shown.number], { level } = this.shown;
      image = signs_image(numbers, side, level);
      lines = [contour(numbers, side, level + 1e-9)];
    } else {
      const outputs = training.predict(cells);
      if (this.kind === "classes") {
        lines = outputs.map((one, k) => contour(ahead(outputs, k), side, 0));
        image = picture(side, (i) => {
          const own = outputs.map((output) => output[i]);
          return colours.areas[own.indexOf(Math.max(...own)) % 8];
        });
      } else {
        image = picture(side, (i) => sign_pixel(this.sign(outputs[0][i])));
        lines = [contour(outputs[0], side, this.levels[1])];
      }
    }
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "high";
    context.drawImage(image, frame.x0, frame.y0, frame.width, frame.height);
    context.strokeStyle = colours.text;
    context.lineWidth = 2;
    for (const line of lines) {
      context.beginPath();
      const across = frame.width / side, down = frame.height / side;
      for (const [x1, y1, x2, y2] of line) {
        context.moveTo(frame.x0 + x1 * across, frame.y0 + y1 * down);
        context.lineTo(frame.x0 + x2 * across, frame.y0 + y2 * down);
      }
      context.stroke();
    }
    frame.axes(context);
    frame.clip(context);
    this.points(context, frame);
    context.restore();
  }
}

class Curve extends View {
  can_edit = true;

  range() {
    const { x, y } = this.training.content;
    return [span(x.flat()), span(y.flat(), 0.2)];
  }

  place(row) {
    return [this.training.x[row], this.training.y[row]];
  }

  colour_of(row) {
    return this.kind === "two" ? super.colour_of(row) : colours.high;
  }

  target(y) {
    if (this.kind !== "two") return y;
    const [low, high] = this.training.content.values;
    return y > (low + high) / 2 ? high : low;
  }

  move(row, [x, y]) {
    this.training.x[row] = x;
    this.training.y[row] = this.target(y);
  }

  add([x, y]) {
    this.training.add([x], [this.target(y)]);
  }

  cells(count) {
    const [left, right] = this.range()[0];
    const step = (right - left) / (count - 1);
    return Float64Array.from({ length: count }, (_, i) => left + i * step);
  }

  draw() {
    const { training } = this, context = context_of(this.canvas);
    const [x] = training.content.names, names = [x ?? "x", "y"];
    const frame = this.frame = new Frame(this.canvas, ...this.range(), names);
    const cells = this.cells(240);
    frame.axes(context);
    frame.clip(context);
    this.points(context, frame);
    this.line(context, frame, cells, training.predict(cells)[0], colours.text, 3);
    if (this.shown) {
      const numbers = training.neurons(cells)[this.shown.number];
      this.line(context, frame, cells, numbers, colours.low, 2.5, [6, 4]);
    }
    context.restore();
  }

  line(context, frame, xs, ys, colour, width, dashes = []) {
    context.beginPath();
    xs.forEach((x, i) => context.lineTo(...frame.at(x, ys[i])));
    context.setLineDash(dashes);
    context.lineWidth = width;
    context.strokeStyle = colour;
    context.stroke();
    context.setLineDash([]);
  }
}

class Pairs extends View {
  can_edit = false;

  size() {
    return this.training.count > 400 ? 2.4 : 4;
  }

  draw() {
    const { training } = this, { x, y, targets, count } = training;
    const context = context_of(this.canvas), outputs = training.predict(x), dots = [];
    const jitter = (i) => ((i * 0.618034) % 1) - 0.5; // so that equal ones do not hide each other
    for (let row = 0; row < count; row++) {
      if (this.kind === "classes") {
        const own = outputs.map((output) => output[row]), of = this.class_of(row);
        const best = own.indexOf(Math.max(...own));
        dots.push([of + 0.6 * jitter(row), best + 0.6 * jitter(7 * row + 1), of]);
      } else
        for (let k = 0; k < targets; k++) {
          const target = y[row * targets + k];
          const room = this.kind === "two" ? 0.1 * (this.levels[2] - this.levels[0]) : 0;
          dots.push([target + room * jitter(row), outputs[Math.min(k, outputs.length - 1)][row],
            this.kind === "two" ? this.class_of(row) : k]);
        }
    }
    const is_classes = this.kind === "classes", last = outputs.length - 0.5;
    const across = is_classes ? [-0.5, last] : span(dots.map((dot) => dot[0]));
    const up = is_classes ? [-0.5, last] : span(dots.flatMap((dot) => dot.slice(0, 2)));
    const frame = this.frame = new Frame(this.canvas, across, up, ["wanted", "predicted"]);
    frame.is_whole = is_classes;
    frame.axes(context);
    frame.clip(context);
    if (!is_classes) {
      const low = Math.min(across[0], up[0]), high = Math.max(across[1], up[1]);
      context.beginPath();
      context.moveTo(...frame.at(low, low));
      context.lineTo(...frame.at(high, high));
      context.strokeStyle = colours.soft;
      context.stroke();
    }
    const two = [colours.low, colours.high];
    for (const [a, b, of] of dots) {
      const colour = this.kind === "two" ? two[of] : colours.classes[of % 8];
      mark(context, frame.at(a, b), of, colour, this.size());
    }
    context.restore();
  }
}

function view_of(training, canvas) {
  const { inputs } = training;
  if (inputs === 2) return new Plane(training, canvas);
  const is_curve = inputs === 1 && training.targets === 1 && training.content.kind !== "classes";
  return is_curve ? new Curve(training, canvas) : new Pairs(training, canvas);
}

// ------------------------------------------------------------------ images and lines of a grid

// an image of side × side pixels that a function gives
function picture(side, pixel, canvas = document.createElement("canvas")) {
  if (canvas.width !== side || canvas.height !== side) canvas.width = canvas.height = side;
  const context = canvas.getContext("2d"), image = context.createImageData(side, side);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < side * side; i++) pixels[i] = pixel(i);
  context.putImageData(image, 0, 0);
  return canvas;
}

// how far output k is ahead of the best other one
function ahead(outputs, k) {
  return outputs[k].map((x, i) => {
    let other = -Infinity;
    for (let j = 0; j < outputs.length; j++)
      if (j !== k) other = Math.max(other, outputs[j][i]);
    return x - other;
  });
}

// numbers below and above a level, the farthest the strongest
function signs_image(numbers, side, level, canvas) {
  let most = 1e-12;
  for (const x of numbers) most = Math.max(most, Math.abs(x - level));
  return picture(side, (i) => sign_pixel((numbers[i] - level) / most), canvas);
}

// where numbers on the grid cross a level: pieces of lines, in cells
function contour(numbers, side, level) {
  const pieces = [];
  const above = (i, j) => numbers[i * side + j] - level;
  for (let i = 0; i + 1 < side; i++)
    for (let j = 0; j + 1 < side; j++) {
      const here = above(i, j) > 0;
      if (above(i, j + 1) > 0 === here && above(i + 1, j) > 0 === here &&
          above(i + 1, j + 1) > 0 === here) continue;
      const corners = [[i, j], [i, j + 1], [i + 1, j + 1], [i + 1, j]];
      const crossed = [];
      for (let k = 0; k < 4; k++) {
        const [a, b] = [corners[k], corners[(k + 1) % 4]], [u, v] = [above(...a), above(...b)];
        if (u > 0 === v > 0) continue;
        const t = u / (u - v);
        crossed.push([a[1] + t * (b[1] - a[1]) + 0.5, a[0] + t * (b[0] - a[0]) + 0.5]);
      }
      for (let k = 0; k + 1 < crossed.length; k += 2)
        pieces.push([...crossed[k], ...crossed[k + 1]]);
    }
  return pieces;
}
