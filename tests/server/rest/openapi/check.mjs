// check.mjs FOLDER DOCUMENT: whether DOCUMENT is OpenAPI 3.1, by a validator that others wrote, out of FOLDER.
import { readFileSync } from "node:fs";

const [folder, file] = process.argv.slice(2);
const { Validator } = await import(`${folder}/node_modules/@seriousme/openapi-schema-validator/index.js`);
const check = async (document) => {
  const validator = new Validator();
  const result = await validator.validate(document);
  return { ...result, version: validator.version };
};

const document = JSON.parse(readFileSync(file, "utf8"));
const result = await check(document);
if (!result.valid || result.version !== "3.1") {
  console.error(`OpenAPI ${result.version}:`, JSON.stringify(result.errors, null, 1).slice(0, 4000));
  process.exit(1);
}
// One that is wrong is found: else the check would be worth nothing.
const wrong = structuredClone(document);
wrong.paths["/api/v1/sms"].get.parameters[0].in = "nowhere";
if ((await check(wrong)).valid) {
  console.error("a parameter in no place was not found");
  process.exit(1);
}
// Each operation has a name of its own, and each path says what stands in its braces.
const names = new Set();
for (const [path, verbs] of Object.entries(document.paths)) {
  for (const operation of Object.values(verbs)) {
    if (names.has(operation.operationId)) throw new Error(`twice: ${operation.operationId}`);
    names.add(operation.operationId);
    const said = (operation.parameters ?? []).filter((one) => one.in === "path").map((one) => one.name);
    const there = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    if (said.join() !== there.join()) throw new Error(`${path}: ${said} is said, ${there} is there`);
  }
}
console.log(`${names.size} operations`);
