// The list of everything vendored, with the full text of each licence.
import { readFile, readdir } from 'node:fs/promises';

const RULE = '='.repeat(78);

/** npm packages whose code went into an esbuild bundle. */
export function packagesOf(metafile) {
  const found = Object.keys(metafile.inputs)
    .map((path) => path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1])
    .filter(Boolean);
  return new Set(found);
}

/** The text of LICENSES.txt. */
export async function licences(names, modules) {
  const parts = await Promise.all([...new Set(names)].sort().map((name) => part(name, modules)));
  const index = parts.map((one) => `  ${one.title}`).join('\n');
  const texts = parts.map((one) => `${RULE}\n${one.title}\n${RULE}\n${one.text}`).join('\n\n');
  return `Software of others that is part of this folder and of ../dist:\n\n${index}\n\n${texts}\n`;
}

async function part(name, modules) {
  const about = JSON.parse(await readFile(`${modules}/${name}/package.json`, 'utf8'));
  const files = (await readdir(`${modules}/${name}`)).filter((file) => /^(licen[cs]e|notice)/i.test(file));
  const texts = await Promise.all(files.sort().map((file) => readFile(`${modules}/${name}/${file}`, 'utf8')));
  const text = texts.map((one) => one.replace(/\r\n/g, '\n').trim()).join('\n\n');
  return {
    title: `${name} ${about.version} (${about.license})`,
    text: text || `Published under ${about.license}; the package carries no licence text.`,
  };
}
