"""Functions in JavaScript that programs carry along: what Math lacks, lists.   (floor 3)

Each gives what its namesake in `arithmetic` gives, or in C's library: JavaScript's own `pow` gives
nan for 1 to the power nan, and it has no `erf`.
"""

from .c_helpers import CALLS, FURTHER, OF_MATH
from .text import COMPARED, Writer
from .translated import Grammar, Helpers, expressions, helpers_of

FUNCTIONS = {
    **{name: f"Math.{name}" for name in ("abs", *OF_MATH)},
    **{name: name for name in (*FURTHER, *CALLS)},
    "pow": "power",
}


class JavaScriptWriter(Writer):
    """Writes an expression in JavaScript."""

    constants = {"inf": "Infinity", "nan": "NaN"}  # noqa: RUF012
    both, either, equal, different = "&&", "||", "===", "!=="
    least = COMPARED


literal = JavaScriptWriter.literal
_TEXT = r"""
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

// The error function by rational approximations on four intervals, as in Sun's library.
function polynomial(x, coefficients) {
  let s = 0.0;
  for (let k = coefficients.length - 1; k >= 0; k--) s = s * x + coefficients[k];
  return s;
}

// x (1 + r) is erf x, r for |x| < 0.84375
function erf_near(z) {
  const p = polynomial(z, [1.28379167095512558561e-01, -3.25042107247001499370e-01,
    -2.84817495755985104766e-02, -5.77027029648944159157e-03, -2.37630166566501626084e-05]);
  const q = polynomial(z, [1.0, 3.97917223959155352819e-01, 6.50222499887672944485e-02,
    5.08130628187576562776e-03, 1.32494738004321644526e-04, -3.96022827877536812320e-06]);
  return p / q;
}

// erf x - 0.8450629115104675 for 0.84375 <= x < 1.25
function erf_middle(x) {
  const s = x - 1.0;
  const p = polynomial(s, [-2.36211856075265944077e-03, 4.14856118683748331666e-01,
    -3.72207876035701323847e-01, 3.18346619901161753674e-01, -1.10894694282396677476e-01,
    3.54783043256182359371e-02, -2.16637559486879084300e-03]);
  const q = polynomial(s, [1.0, 1.06420880400844228286e-01, 5.40397917702171048937e-01,
    7.18286544141962662868e-02, 1.26171219808761642112e-01, 1.36370839120290507362e-02,
    1.19844998467991074170e-02]);
  return p / q;
}

// 1 - erf x for x >= 1.25
function erfc_far(x) {
  const s = 1.0 / (x * x), is_near = x < 2.857142857142857;
  const r = polynomial(s, is_near ? [-9.86494403484714822705e-03, -6.93858572707181764372e-01,
    -1.05586262253232909814e+01, -6.23753324503260060396e+01, -1.62396669462573470355e+02,
    -1.84605092906711035994e+02, -8.12874355063065934246e+01, -9.81432934416914548592e+00] :
    [-9.86494292470009928597e-03, -7.99283237680523006574e-01, -1.77579549177547519889e+01,
    -1.60636384855821916062e+02, -6.37566443368389627722e+02, -1.02509513161107724954e+03,
    -4.83519191608651397019e+02]);
  const t = polynomial(s, is_near ? [1.0, 1.96512716674392571292e+01, 1.37657754143519042600e+02,
    4.34565877475229228821e+02, 6.45387271733267880336e+02, 4.29008140027567833386e+02,
    1.08635005541779435134e+02, 6.57024977031928170135e+00, -6.04244152148580987438e-02] :
    [1.0, 3.03380607434824582924e+01, 3.25792512996573918826e+02, 1.53672958608443695994e+03,
    3.19985821950859553908e+03, 2.55305040643316442583e+03, 4.74528541206955367215e+02,
    -2.24409524465858183362e+01]);
  const z = Math.fround(x), square = -z * z, rest = (z - x) * (z + x) + (r / t - 0.5625);
  const sum = square + rest, lost = rest - (sum - square), e = Math.exp(sum);
  return (e + e * lost) / x;
}

function erf(x) {
  const y = Math.abs(x);
  if (x !== x) return x;
  if (y < 1e-300) return 0.125 * (8.0 * x + 1.0270333367641007 * x);
  if (y < 0.84375) return x + x * erf_near(x * x);
  const middle = 0.845062911510467529297;
  const far = y < 1.25 ? middle + erf_middle(y) : y < 6.0 ? 1.0 - erfc_far(y) : 1.0;
  return x < 0.0 ? -far : far;
}

function erfc(x) {
  if (x !== x) return x;
  if (x < -6.0) return 2.0;
  if (x > 28.0) return 0.0;
  if (Math.abs(x) < 0.84375) {
    const r = x * erf_near(x * x);
    return x < 0.25 ? 1.0 - (x + r) : 0.5 - (r + (x - 0.5));
  }
  const middle = 0.845062911510467529297;
  if (Math.abs(x) < 1.25)
    return x < 0.0 ? 1.0 + (middle + erf_middle(-x)) : 1.0 - middle - erf_middle(x);
  return x < 0.0 ? 2.0 - erfc_far(-x) : erfc_far(x);
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
"""

TYPES = {
    **dict.fromkeys(("float", "int", "Sequence[float]", "list[float]"), ""),
    **dict.fromkeys(("-> float", "-> None"), "function "), "= float": "let ", "= int": "const ",
}  # fmt: skip
GRAMMAR = Grammar(
    "  ", TYPES, "for (let k = 0; k < n; k++)", "for (let k = n - 1; k >= 0; k--)",
    expressions(JavaScriptWriter, FUNCTIONS | {"larger": "Math.max", "floor": "Math.floor"}),
    "// …",
)  # fmt: skip
HELPERS = Helpers(helpers_of(_TEXT, r"^function (\w+)"), GRAMMAR)
