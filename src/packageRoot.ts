/** Where the installed product lies: migrations and its own package.json are found from here. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGE_NAME = 'cutpoint';

interface PackageFile {
  readonly name?: unknown;
  readonly version?: unknown;
}

function packageFile(folder: string): PackageFile | null {
  const file = join(folder, 'package.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as PackageFile) : null;
}

/**
 * The folder of the product's package.json, looked for from this file upwards, so that it is found from
 * the sources, from dist/ and from an installed package alike.
 * @throws Error when there is none, i.e. the installation is incomplete
 */
export function packageRoot(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let folder = start; ; folder = dirname(folder)) {
    if (packageFile(folder)?.name === PACKAGE_NAME) return folder;
    if (dirname(folder) === folder) {
      throw new Error(
        `No package.json of ${PACKAGE_NAME} in ${start} or above: the installation is incomplete`,
      );
    }
  }
}

/** Version of the product, from its package.json. */
export function packageVersion(): string {
  const root = packageRoot();
  const version = packageFile(root)?.version;
  if (typeof version !== 'string') throw new Error(`${join(root, 'package.json')} states no version`);
  return version;
}
