"use strict";

// Python's random numbers: the Mersenne Twister of Matsumoto and Nishimura, seeded as Python does.
class Random {
  constructor(seed) {
    const whole = Math.abs(Math.trunc(seed));
    const key = [whole >>> 0, Math.floor(whole / 2 ** 32) >>> 0];
    if (key[1] === 0) key.pop();
    const s = this.state = new Uint32Array(624);
    this.at = 624;
    this.kept = null; // the second of two normal numbers
    s[0] = 19650218;
    for (let i = 1; i < 624; i++) s[i] = Math.imul(1812433253, s[i - 1] ^ (s[i - 1] >>> 30)) + i;
    let i = 1, j = 0;
    const next = () => {
      if (++i === 624) {
        s[0] = s[623];
        i = 1;
      }
    };
    const mixed = (by) => s[i] ^ Math.imul(s[i - 1] ^ (s[i - 1] >>> 30), by);
    for (let k = 0; k < 624; k++) {
      s[i] = mixed(1664525) + key[j] + j;
      next();
      j = (j + 1) % key.length;
    }
    for (let k = 0; k < 623; k++) {
      s[i] = mixed(1566083941) - i;
      next();
    }
    s[0] = 0x80000000;
  }

  // a whole number of 32 bits
  word() {
    const s = this.state;
    if (this.at === 624) {
      for (let k = 0; k < 624; k++) {
        const y = (s[k] & 0x80000000) | (s[(k + 1) % 624] & 0x7fffffff);
        s[k] = s[(k + 397) % 624] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
      }
      this.at = 0;
    }
    let y = s[this.at++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  random() {
    const high = this.word() >>> 5, low = this.word() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  uniform(size) {
    return -size + (size + size) * this.random();
  }

  gauss(size) {
    let z = this.kept;
    this.kept = null;
    if (z === null) {
      const angle = this.random() * 2 * Math.PI;
      const length = Math.sqrt(-2 * Math.log(1 - this.random()));
      z = Math.cos(angle) * length;
      this.kept = Math.sin(angle) * length;
    }
    return z * size;
  }

  zeros() {
    return 0;
  }

  below(n) {
    const bits = 32 - Math.clz32(n);
    let r = this.word() >>> (32 - bits);
    while (r >= n) r = this.word() >>> (32 - bits);
    return r;
  }

  shuffle(list) {
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [list[i], list[j]] = [list[j], list[i]];
    }
  }
}
