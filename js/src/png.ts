/** What is written into PNG files after a browser has made them. */

/** Bytes of the signature and of the header, which is always the first chunk. */
const HEAD = 8 + 25;
const PER_METRE = 1 / 0.0254;

/** The same PNG, saying how many dots make an inch: https://www.w3.org/TR/png-3/#11pHYs */
export function withDensity(png: Blob, dpi: number): Blob {
  const density = Math.round(dpi * PER_METRE);
  const chunk = new DataView(new ArrayBuffer(21));
  chunk.setUint32(0, 9);
  chunk.setUint32(4, 0x70485973); // pHYs
  chunk.setUint32(8, density);
  chunk.setUint32(12, density);
  chunk.setUint8(16, 1); // by the metre
  chunk.setUint32(17, crc32(new Uint8Array(chunk.buffer, 4, 13)));
  return new Blob([png.slice(0, HEAD), chunk, png.slice(HEAD)], { type: png.type });
}

/** https://www.w3.org/TR/png-3/#5CRC-algorithm */
function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 && 0xedb88320);
  }
  return (crc ^ -1) >>> 0;
}
