// One SVG file with a <symbol> for each icon that pages use.
import { readFile } from 'node:fs/promises';

/** The sprite; an unknown name stops the build. */
export async function sprite(names, iconsDir) {
  const symbols = await Promise.all([...names].sort().map((name) => symbol(name, iconsDir)));
  return `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join('\n')}\n</svg>\n`;
}

async function symbol(name, iconsDir) {
  const svg = await readFile(`${iconsDir}/${name}.svg`, 'utf8');
  const viewBox = svg.match(/viewBox="([^"]+)"/)[1];
  const body = svg.replace(/^[\s\S]*?<svg[^>]*>/, '').replace(/<\/svg>\s*$/, '');
  return `<symbol id="${name}" viewBox="${viewBox}">${body.replace(/\s*\n\s*/g, '')}</symbol>`;
}
