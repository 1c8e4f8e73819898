// Shared by all drawings: colours, figures, scales, and a canvas as sharp as the screen.
const $ = (id) => document.getElementById(id);
let colours = {};

function read_colours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["back", "text", "soft", "line", "low", "high", "field"];
  const listed = ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"];
  colours = Object.fromEntries(
    [...names, ...listed].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  const each = Object.entries(colours).map(([name, text]) => [name, rgb(text)]);
  colours.rgb = Object.fromEntries(each);
  colours.signs = Uint32Array.from({ length: 513 }, (_, i) => packed(shade((i - 256) / 256)));
  colours.areas = Uint32Array.from(listed, (name) => packed(mixed(colours.rgb[name], 0.55)));
  colours.classes = listed.map((name) => colours[name]);
}

function rgb(text) {
  const digits = text.slice(1);
  const long = digits.length === 3 ? [...digits].map((d) => d + d).join("") : digits;
  return [0, 2, 4].map((i) => parseInt(long.slice(i, i + 2), 16));
}

// between the background and the colour of a sign; t is from -1 to 1
function shade(t, strength = 0.75) {
  return mixed(t < 0 ? colours.rgb.low : colours.rgb.high, Math.min(1, Math.abs(t)) * strength);
}

function mixed(of, part) {
  return of.map((x, i) => colours.rgb.back[i] + (x - colours.rgb.back[i]) * part);
}

// a colour as a pixel of an image has it
function packed([r, g, b]) {
  return (0xff000000 | (Math.round(b) << 16) | (Math.round(g) << 8) | Math.round(r)) >>> 0;
}

// the pixel for a number from -1 to 1
function sign_pixel(t) {
  return colours.signs[t <= -1 ? 0 : t >= 1 ? 512 : t === t ? Math.round(256 * t) + 256 : 256];
}

function figure(x, digits = 4) {
  if (!Number.isFinite(x)) return String(x);
  const text = x !== 0 && (Math.abs(x) < 1e-4 || Math.abs(x) >= 1e6)
    ? x.toExponential(digits - 1) : x.toPrecision(digits);
  return text.replace("-", "−").replace("e−", "e-");
}

// the context of a canvas whose size is that on the page
function context_of(canvas) {
  const ratio = devicePixelRatio || 1;
  const [width, height] =
    [canvas.clientWidth, canvas.clientHeight].map((size) => Math.round(size * ratio));
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
  context.font = '12px Inter, "Segoe UI", Helvetica, Arial, "DejaVu Sans", sans-serif';
  return context;
}

// round numbers between two numbers, some `count` of them
function ticks(low, high, count) {
  const raw = (high - low) / count, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((s) => s * power >= raw) * power;
  const found = [];
  for (let k = Math.ceil(low / step); k * step <= high; k++)
    found.push(Number((k * step).toPrecision(12)));
  return found;
}

// the least and the greatest number, with some room
function span(numbers, room = 0.12) {
  let low = Infinity, high = -Infinity;
  for (const x of numbers) {
    low = Math.min(low, x);
    high = Math.max(high, x);
  }
  const more = (high - low) * room || Math.abs(high) * room || 1;
  return [low - more, high + more];
}

// a frame with two axes; `at` gives the place of a point, `of` the point at a place
class Frame {
  constructor(canvas, [left, right], [bottom, top], names = []) {
    Object.assign(this, { canvas, left, right, bottom, top, names });
    this.x0 = 44;
    this.y0 = 10;
    this.width = canvas.clientWidth - 56;
    this.height = canvas.clientHeight - 44;
  }

  at(x, y) {
    return [
      this.x0 + ((x - this.left) / (this.right - this.left)) * this.width,
      this.y0 + ((this.top - y) / (this.top - this.bottom)) * this.height,
    ];
  }

  of(px, py) {
    return [
      this.left + ((px - this.x0) / this.width) * (this.right - this.left),
      this.top - ((py - this.y0) / this.height) * (this.top - this.bottom),
    ];
  }

  axes(context) {
    context.strokeStyle = colours.line;
    context.fillStyle = colours.soft;
    context.lineWidth = 1;
    context.strokeRect(this.x0, this.y0, this.width, this.height);
    context.textAlign = "center";
    context.textBaseline = "top";
    const of = (low, high) => ticks(low, high, 6).filter((x) => !this.is_whole || x % 1 === 0);
    for (const x of of(this.left, this.right))
      context.fillText(String(x).replace("-", "−"), this.at(x, 0)[0], this.y0 + this.height + 5);
    context.fillText(this.names[0] ?? "", this.x0 + this.width / 2, this.y0 + this.height + 19);
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const y of of(this.bottom, this.top))
      context.fillText(String(y).replace("-", "−"), this.x0 - 5, this.at(0, y)[1]);
    if (this.names[1]) {
      context.save();
      context.translate(9, this.y0 + this.height / 2);
      context.rotate(-Math.PI / 2);
      context.textAlign = "center";
      context.fillText(this.names[1], 0, 0);
      context.restore();
    }
  }

  clip(context) {
    context.save();
    context.beginPath();
    context.rect(this.x0, this.y0, this.width, this.height);
    context.clip();
  }
}

// a mark whose form, not its colour alone, says the class
function mark(context, [x, y], form, colour, size, edge = colours.back, width = 1.2) {
  context.beginPath();
  if (form % 4 === 0) context.arc(x, y, size, 0, 7);
  else if (form % 4 === 1) context.rect(x - size * 0.9, y - size * 0.9, size * 1.8, size * 1.8);
  else {
    const corners = form % 4 === 2 ? 3 : 4;
    for (let k = 0; k < corners; k++) {
      const angle = (k / corners) * 2 * Math.PI - Math.PI / 2;
      context.lineTo(x + 1.3 * size * Math.cos(angle), y + 1.3 * size * Math.sin(angle));
    }
    context.closePath();
  }
  context.fillStyle = colour;
  context.fill();
  context.lineWidth = width;
  context.strokeStyle = edge;
  context.stroke();
}
