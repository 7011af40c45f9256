// Brings the database to the schema that the app wants, and ends. Compose starts it again with each `docker compose up`, so it looks first.

const SCHEMA = 2;
const before = Number(await (await fetch("http://db:5432/schema")).text());
if (before < SCHEMA) await fetch("http://db:5432/schema", { method: "PUT", body: String(SCHEMA) });
console.log(before < SCHEMA ? `migrated from schema ${before} to ${SCHEMA}` : `schema ${before}: nothing to do`);
