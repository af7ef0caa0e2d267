// The names of the models that AsyncAPI's own generator makes of a document.
import { readFileSync } from "node:fs";
import { TypeScriptGenerator } from "@asyncapi/modelina";

const models = await new TypeScriptGenerator().generate(readFileSync(process.argv[2], "utf8"));
console.log(JSON.stringify(models.map((model) => model.modelName)));
