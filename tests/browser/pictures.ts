/** Pictures of pages, for docs/. */

import { resolve } from "node:path";

/** Into docs/ when they are to be renewed (`cargo xtask pictures`), else beside the results of the tests. */
const FOLDER = process.env["DAIS_UPDATE_GENERATED"] ? resolve("../../docs/images") : resolve("test-results/images");

/** Where a screenshot of that name goes. */
export const picture = (name: string): { path: string } => ({ path: resolve(FOLDER, `${name}.png`) });
