/** Seconds of made-up sound at most: enough to be a file. */
const secondsMax = 30;

/** 8 kHz, 8 bit, one channel. */
export function silentWav(seconds: number): Buffer {
  const length = Math.min(Math.max(seconds, 1), secondsMax) * 8000;
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8000, 24);
  head.writeUInt32LE(8000, 28);
  head.writeUInt16LE(1, 32);
  head.writeUInt16LE(8, 34);
  head.write('data', 36);
  head.writeUInt32LE(length, 40);
  return Buffer.concat([head, Buffer.alloc(length, 128)]);
}

/** Frames of MPEG 1 layer 3, 128 kbit/s at 44.1 kHz, one channel, with nothing in them: 26 ms each. */
export function silentMp3(seconds: number): Buffer {
  const frame = Buffer.alloc(417);
  frame.set([0xff, 0xfb, 0x90, 0xc4]);
  return Buffer.concat(Array.from({ length: Math.ceil((Math.min(Math.max(seconds, 1), secondsMax) * 1000) / 26) }, () => frame));
}
