// Builds app/ui/static/vendor (software of others) and app/ui/static/dist (built from our source).
//
//   node build.mjs           writes the bundles; they are committed, so running needs no node
//   node build.mjs --check   builds into a temporary folder and compares every byte
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import esbuild from 'esbuild';
import { withoutDataUris, withoutSourceMap } from './lib/css.mjs';
import { sprite } from './lib/icons.mjs';
import { licences, packagesOf } from './lib/licences.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const MODULES = join(HERE, 'node_modules');
const STATIC = join(HERE, '..', 'app', 'ui', 'static');
const FOLDERS = ['vendor', 'dist'];
const SOURCES = ['build.mjs', 'icons.json', 'package-lock.json', 'lib', 'viewer'];
const VIEWER_LIMIT = 250 * 1024;
const COPIED = ['bootstrap', 'bootstrap-icons', 'htmx.org', 'swagger-ui-dist'];

const module = (path) => readFile(join(MODULES, path), 'utf8');

/** Every output file: path below `static` → content. */
async function build() {
  const out = new Map();
  await stylesheet(out, 'vendor/bootstrap.min.css', await module('bootstrap/dist/css/bootstrap.min.css'));
  out.set('vendor/htmx.min.js', withoutSourceMap(await module('htmx.org/dist/htmx.min.js')));
  await swagger(out);
  const used = await viewer(out);
  const icons = JSON.parse(await readFile(join(HERE, 'icons.json'), 'utf8'));
  out.set('dist/icons.svg', await sprite(icons, join(MODULES, 'bootstrap-icons/icons')));
  out.set('vendor/LICENSES.txt', await licences([...COPIED, ...used], MODULES));
  out.set('dist/manifest.json', await manifest(out));
  return out;
}

/** Digests of what was read and written, so that a test without node sees a forgotten build. */
async function manifest(out) {
  const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');
  const sources = {};
  for (const [path, bytes] of await contents(HERE, SOURCES)) sources[path] = digest(bytes);
  const outputs = {};
  for (const [path, content] of [...out].sort()) outputs[path] = digest(content);
  return `${JSON.stringify({ sources, outputs }, null, 1)}\n`;
}

async function stylesheet(out, path, source) {
  const { css, files } = withoutDataUris(source);
  out.set(path, css);
  for (const [name, bytes] of files) out.set(join(dirname(path), 'img', name), bytes);
}

async function swagger(out) {
  const to = 'vendor/swagger-ui';
  const bundle = await module('swagger-ui-dist/swagger-ui-bundle.js');
  out.set(`${to}/swagger-ui-bundle.js`, withoutSourceMap(bundle));
  out.set(
    `${to}/swagger-ui-bundle.js.LICENSE.txt`,
    await module('swagger-ui-dist/swagger-ui-bundle.js.LICENSE.txt'),
  );
  await stylesheet(out, `${to}/swagger-ui.css`, await module('swagger-ui-dist/swagger-ui.css'));
}

async function viewer(out) {
  const result = await esbuild.build({
    absWorkingDir: HERE,
    entryPoints: { 'bpmn-viewer': 'viewer/index.js' },
    outdir: 'out',
    bundle: true,
    minify: true,
    format: 'iife',
    globalName: 'DiagramViewer',
    target: 'es2020',
    legalComments: 'inline',
    loader: { '.svg': 'dataurl' },
    metafile: true,
    write: false,
  });
  for (const file of result.outputFiles) {
    const name = `dist/${relative(join(HERE, 'out'), file.path)}`;
    if (name.endsWith('.css')) await stylesheet(out, name, file.text);
    else out.set(name, file.text);
  }
  const size = Buffer.byteLength(out.get('dist/bpmn-viewer.js'));
  if (size > VIEWER_LIMIT) throw new Error(`bpmn-viewer.js is ${size} bytes, more than ${VIEWER_LIMIT}`);
  return packagesOf(result.metafile);
}

async function write(files, root) {
  for (const folder of FOLDERS) await rm(join(root, folder), { recursive: true, force: true });
  for (const [path, content] of files) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
}

/** Path below `root` → bytes, of files and of everything in folders, in order of path. */
async function contents(root, names) {
  const paths = [];
  for (const name of names) {
    const entries = await readdir(join(root, name), { recursive: true, withFileTypes: true }).catch(() => null);
    if (!entries) paths.push(name);
    else paths.push(...entries.filter((one) => one.isFile()).map((one) => relative(root, join(one.parentPath, one.name))));
  }
  const found = new Map();
  for (const path of paths.sort()) found.set(path, await readFile(join(root, path)));
  return found;
}

async function differences(files) {
  const root = await mkdtemp(join(tmpdir(), 'assets-'));
  try {
    await write(files, root);
    const [built, committed] = [await contents(root, FOLDERS), await contents(STATIC, FOLDERS)];
    const paths = [...new Set([...built.keys(), ...committed.keys()])].sort();
    return paths.filter((path) => !built.has(path) || !committed.get(path)?.equals(built.get(path)));
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

const files = await build();
if (process.argv.includes('--check')) {
  const different = await differences(files);
  if (different.length) {
    console.error(`Not what the source builds: ${different.join(', ')}. Run: node build.mjs`);
    process.exitCode = 1;
  } else {
    console.log(`${files.size} files are what the source builds.`);
  }
} else {
  await write(files, STATIC);
  for (const [path, content] of files) console.log(`${path} ${Buffer.byteLength(content)}`);
}
