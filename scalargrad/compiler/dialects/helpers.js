// Functions in JavaScript that programs carry along: what Math lacks, lists.
//
// Each gives what its namesake in `arithmetic` gives, or in C's library: JavaScript's own `pow`
// gives nan for 1 to the power nan, and it has no `erf`. Empty lines part them.

function share_of(x, d) {
  return d === 0.0 ? 0.0 : x * d;
}

function copysign(x, y) {
  const y_is_negative = y < 0.0 || Object.is(y, -0.0);
  return y_is_negative ? -Math.abs(x) : Math.abs(x);
}

// the exponent e of x = m 2^e with 0.5 <= |m| < 1; 0 where there is none
function exponent(x) {
  const y = Math.abs(x);
  if (!(0.0 < y && y < Infinity)) return 0;
  if (y < 2.2250738585072014e-308) return exponent(y * 18014398509481984.0) - 54;
  let e = Math.max(-1021, Math.min(1024, Math.floor(Math.log2(y)) + 1));
  while (e > -1021 && y < power_of_two(e - 1)) e -= 1;
  while (e < 1024 && y >= power_of_two(e)) e += 1;
  return e;
}

// 2^e, for -1074 <= e < 1024
function power_of_two(e) {
  return 2.0 ** e;
}

// x 2^e, rounded once
function ldexp(x, e) {
  if (x === 0.0 || x - x !== 0.0) return x;
  const at = exponent(x);
  const m = mantissa(x, at), end = at + e;
  if (end > 1024) return m * Infinity;
  if (end < -1075) return m * 0.0;
  if (end === 1024) return m * 2.0 * power_of_two(1023);
  return end < -1021 ? m * power_of_two(-1021) * power_of_two(end + 1021) : m * power_of_two(end);
}

// x 2^-e with the exponent e of x
function mantissa(x, e) {
  if (e < -1000) return x * power_of_two(600) * power_of_two(-e - 600);
  return e > 1000 ? x * power_of_two(-600) * power_of_two(600 - e) : x * power_of_two(-e);
}

function power(x, y) {
  if (x === 1.0 || (x === -1.0 && Math.abs(y) === Infinity)) return 1.0;
  return Math.pow(x, y);
}

// 2^x: what is behind the point of x by expm1, which is good near 0
function exp2(x) {
  if (!(-1075.0 < x && x < 1024.0)) return x < 0.0 ? 0.0 : x > 0.0 ? Infinity : x;
  const n = Math.round(x);
  return ldexp(1.0 + Math.expm1((x - n) * 0.6931471805599453), n);
}

function hypot(x, y) {
  const a = Math.abs(x), b = Math.abs(y), large = a > b ? a : b, small = a > b ? b : a;
  if (a === Infinity || b === Infinity) return Infinity;
  if (a !== a || b !== b) return NaN;
  if (large === 0.0 || small < 1e-17 * large) return large;
  const e = exponent(large), s = mantissa(large, e), t = ldexp(small, -e);
  return ldexp(Math.sqrt(s * s + t * t), e);
}

// The error function by rational approximations on three intervals, as in Sun's library.
function polynomial(x, ...coefficients) {
  let s = 0.0;
  for (let k = coefficients.length - 1; k >= 0; k--) s = s * x + coefficients[k];
  return s;
}

// erf x = x (1 + r), r for |x| < 0.84375
function erf_near(x) {
  const z = x * x;
  return polynomial(z, 0.12837916709551256, -0.3250421072470015, -0.02848174957559851,
      -0.005770270296489442, -2.3763016656650163e-05)
    / polynomial(z, 1.0, 0.39791722395915535, 0.0650222499887673, 0.005081306281875766,
      0.00013249473800432164, -3.960228278775368e-06);
}

// 1 - erf x for 0.84375 <= x < 1.25
function erfc_middle(x) {
  const s = x - 1.0;
  return 1.0 - 0.8450629115104675
    - polynomial(s, -0.0023621185607526594, 0.41485611868374833, -0.3722078760357013,
      0.31834661990116175, -0.11089469428239668, 0.035478304325618236, -0.002166375594868791)
    / polynomial(s, 1.0, 0.10642088040084423, 0.540397917702171, 0.07182865441419627,
      0.12617121980876164, 0.01363708391202905, 0.011984499846799107);
}

// 1 - erf x for x >= 1.25
function erfc_far(x) {
  const s = 1.0 / (x * x);
  const r = x < 2.857142857142857
    ? polynomial(s, -0.009864944034847148, -0.6938585727071818, -10.558626225323291,
      -62.375332450326006, -162.39666946257347, -184.60509290671104, -81.2874355063066,
      -9.814329344169145)
    / polynomial(s, 1.0, 19.651271667439257, 137.65775414351904, 434.56587747522923,
      645.3872717332679, 429.00814002756783, 108.63500554177944, 6.570249770319282,
      -0.0604244152148581)
    : polynomial(s, -0.0098649429247001, -0.799283237680523, -17.757954917754752,
      -160.63638485582192, -637.5664433683896, -1025.0951316110772, -483.5191916086514)
    / polynomial(s, 1.0, 30.33806074348246, 325.7925129965739, 1536.729586084437,
      3199.8582195085955, 2553.0504064331644, 474.52854120695537, -22.44095244658582);
  const z = Math.fround(x), square = -z * z, rest = (z - x) * (z + x) + (r - 0.5625);
  const sum = square + rest, lost = rest - (sum - square), e = Math.exp(sum);
  return (e + e * lost) / x;
}

function erf(x) {
  const y = Math.abs(x);
  if (!(y >= 0.84375)) return x + x * erf_near(x);
  return x < 0.0 ? erfc(y) - 1.0 : 1.0 - erfc(y);
}

function erfc(x) {
  const y = Math.abs(x);
  if (y < 0.84375) {
    const r = x * erf_near(x);
    return x < 0.25 ? 1.0 - (x + r) : 0.5 - (r + (x - 0.5));
  }
  const tail = y < 1.25 ? erfc_middle(y) : y > 28.0 ? 0.0 : erfc_far(y);
  return x < 0.0 ? 2.0 - tail : tail;
}

function fmod(x, y) {
  return x % y;
}

// a number, or all numbers of nested arrays in row order; an axis of -1 may have any length
function numbers(content, name, shape) {
  if (shape.length === 0) {
    if (typeof content !== "number") throw new TypeError(`${name} must be a number`);
    return content;
  }
  if (ArrayBuffer.isView(content)) {
    const size = shape.reduce((a, b) => a * b, 1);
    const count = content.length;
    if (size < 0 ? count % size !== 0 || count === 0 : count !== size)
      throw new RangeError(`${name} has ${count} numbers, and must be of the shape [${shape}]`);
    return Float64Array.from(content);
  }
  const found = [];
  const walk = (item, axis) => {
    if (axis === shape.length) {
      if (typeof item !== "number")
        throw new TypeError(`${name} must hold numbers, of the shape [${shape}]`);
      found.push(item);
      return;
    }
    const is_list = item !== null && typeof item === "object";
    if (!is_list || (shape[axis] !== -1 && item.length !== shape[axis]))
      throw new RangeError(`${name} must be of the shape [${shape}]`);
    for (let i = 0; i < item.length; i++) walk(item[i], axis + 1);
  };
  walk(content, 0);
  return Float64Array.from(found);
}

// flat numbers in the form of what was given: a Float64Array as it is, else nested arrays
function like(given, flat, shape) {
  return ArrayBuffer.isView(given) ? flat : nested(flat, shape);
}

function nested(flat, shape) {
  if (shape.length === 0) return flat[0];
  if (shape.length === 1) return Array.from(flat);
  const step = flat.length / shape[0], parts = [];
  for (let i = 0; i < shape[0]; i++)
    parts.push(nested(flat.subarray(i * step, (i + 1) * step), shape.slice(1)));
  return parts;
}

// the number of rows, which must be the same for all
function rows_of(counts) {
  if (counts.some((count) => count !== counts[0]) || !(counts[0] > 0))
    throw new RangeError(`arguments with rows must have the same number of them, got ${counts}`);
  return counts[0];
}
