// Numbers as text, and lines of text with numbers in them.

// A number in few digits, as Python's format "g" has it: halves go to the even digit.
function figure(x, digits = 6) {
  if (!Number.isFinite(x)) return x > 0 ? "∞" : x < 0 ? "−∞" : "nan";
  if (x === 0) return "0";
  const near = is_tie(x, digits)
    ? Math.abs(x).toExponential().replace("5e", "e") : Math.abs(x).toExponential(digits - 1);
  const [head, power] = [near.split("e")[0], Number(near.split("e")[1])];
  const is_long = power < -4 || power >= digits;
  const text = is_long ? head : Number(near).toFixed(Math.max(0, digits - 1 - power));
  const short = text.includes(".") ? text.replace(/\.?0+$/, "") : text;
  return `${x < 0 ? "−" : ""}${short}${is_long ? `e${power}` : ""}`.replace("e-", "e−");
}

// Whether x lies in the middle between two numbers of so many digits, and the lower one is even.
function is_tie(x, digits) {
  const shortest = x.toExponential().split("e")[0].replace("-", "");
  if (shortest.length !== digits + 2 || !shortest.endsWith("5")) return false;
  const all = Math.abs(x).toExponential(99).split("e")[0];
  return Number(all[digits]) % 2 === 0 && /^50*$/.test(all.slice(digits + 1));
}

const WORDS = { nan: NaN, inf: Infinity, "-inf": -Infinity, "∞": Infinity, "-∞": -Infinity };

// The number that a reader typed; undefined if it is none.
function typed(text) {
  const plain = text.trim().toLowerCase().replace("−", "-").replace(",", ".");
  if (Object.hasOwn(WORDS, plain)) return WORDS[plain];
  return plain === "" || Number.isNaN(Number(plain)) ? undefined : Number(plain);
}

// A line of text: strings stand as they are, numbers in few digits with all of them in `value`.
function line(...parts) {
  const made = document.createElement("p");
  for (const part of parts) {
    if (typeof part === "string") {
      made.append(part);
      continue;
    }
    const data = document.createElement("data");
    data.value = data.title = String(part);
    data.textContent = figure(part);
    made.append(data);
  }
  return made;
}

const in_brackets = (x) => (x < 0 ? ["(", x, ")"] : [x]);
const listed = (names) => names.join(names.length > 2 ? ", " : " and ");
const said = (sentence, parts) =>
  graph.sentences[sentence].replace(/\{(\w+)\}/g, (_, part) => parts[part]);
const counted = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
